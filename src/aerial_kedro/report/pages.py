"""What the HTML pages have in common: how templates are filled, and charts put into them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from aerial_kedro.report import wording
from aerial_kedro.report.figures import figure_svg
from aerial_kedro.report.pictures import image_media_type

_PACKAGE = "aerial_kedro.report"


def page_environment(
    filters: dict[str, Callable[..., object]], package: str = _PACKAGE
) -> Environment:
    """Set up Jinja for a page.

    Parameters
    ----------
    filters
        Filters of this page, beside those of all pages.
    package
        Package with its templates; the report's, with the style sheet, are found behind them.
    """
    # Escaping is on for every template whatever its name: class names come from folder names.
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(_PACKAGE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": wording.percent,
        "percent_range": wording.percent_range,
        "number": wording.number,
        "decimal": wording.decimal,
        "model_name": wording.model_name,
        **filters,
    }
    return environment


def figure_address(figure: Figure) -> str:
    """Put a chart into the page itself, as a ``data:`` address.

    As an image, not inline: identifiers of two drawings cannot meet, and nothing in it can run.
    """
    return f"data:image/svg+xml;base64,{b64encode(figure_svg(figure)).decode('ascii')}"


def data_address(data: bytes) -> str:
    """Put a picture into the page itself, as a ``data:`` address.

    Raises
    ------
    ValueError
        If it is neither PNG nor JPEG.
    """
    return f"data:{image_media_type(data)};base64,{b64encode(data).decode('ascii')}"
