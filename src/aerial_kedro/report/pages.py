"""The HTML pages: one file each, with no other file, no network and no script."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from aerial_kedro.accuracy.applicability import UNKNOWN
from aerial_kedro.accuracy.confusion import largest_confusions
from aerial_kedro.models.learning_curve import describe_curve
from aerial_kedro.report import figures, ground_figures, maps, wording
from aerial_kedro.report.colours import OUTSIDE, class_colours
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.pictures import ExplainedAnswer, MapImage, image_media_type

_PACKAGE = "aerial_kedro.report"


@cache  # templates take as long to compile as some charts to draw
def page_environment(package: str = _PACKAGE) -> Environment:
    """Set up Jinja for a page.

    Parameters
    ----------
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
        "address": data_address,
        "chart": figure_address,
        "area": wording.area,
        "decimal": wording.decimal,
        "in_words": wording.in_words,
        "number": wording.number,
        "percent": wording.percent,
        "percent_range": wording.percent_range,
    }
    return environment


def figure_address(figure: Figure) -> str:
    """Put a chart into the page itself, as a ``data:`` address.

    As an image, not inline: identifiers of two drawings cannot meet, and nothing in it can run.
    """
    return f"data:image/svg+xml;base64,{b64encode(figures.figure_svg(figure)).decode('ascii')}"


def data_address(data: bytes) -> str:
    """Put a picture into the page itself, as a ``data:`` address.

    Raises
    ------
    ValueError
        If it is neither PNG nor JPEG.
    """
    return f"data:{image_media_type(data)};base64,{b64encode(data).decode('ascii')}"


def render_report(content: ReportContent) -> str:
    """Render the report.

    Parameters
    ----------
    content
        What it shows; sections whose data is absent are left out.

    Returns
    -------
    str
        A whole HTML document. All text that comes from data is escaped.

    Examples
    --------
    >>> page = render_report(ReportContent(title="Wells & Co", created="today"))
    >>> "<h1>Wells &amp; Co</h1>" in page
    True
    """
    training, test = content.training, content.test
    of_cells = content.cells.training.models if content.cells else {}
    legend = _legend([*content.maps.values(), *content.tile_maps.values()])
    own = {name: colour for each in content.maps.values() for name, colour in each.colours.items()}
    names = [row.class_name for rows in content.areas.values() for row in rows]
    names += test.classes if test else []
    names += content.cells.test.classes if content.cells else []
    names += content.labels.accuracy.evaluation.classes if content.labels else []
    names += list(content.gallery)
    names += list(content.catalog.class_by_split) if content.catalog else []
    names += content.change.classes
    names += content.change.cells.classes if content.change.cells else []
    return (
        page_environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            test=test,
            models={name: each.test for name, each in training.models.items()} if training else {},
            cell_models={name: each.test for name, each in of_cells.items()},
            describe_curve=describe_curve,
            largest_confusions=largest_confusions,
            sentences=wording.summary_sentences(content),
            figures=figures,
            ground_figures=ground_figures,
            map_figures=maps,
            legend=legend,
            outside_colour=OUTSIDE,
            unknown_applicability=UNKNOWN,
            error_legend=_legend(each.image for each in content.error_maps.values()),
            colours={**class_colours(names, own), **legend},
        )
    )


def _legend(shown: Iterable[MapImage]) -> dict[str, str]:
    """Colour of each class that any of the maps holds."""
    found: dict[str, str] = {}
    for one in shown:
        colours = class_colours(one.classes, one.colours)
        for i, name in enumerate(one.classes):
            if name not in found and (one.class_index == i).any():
                found[name] = colours[name]
    return found


def render_explained(
    answers: Sequence[ExplainedAnswer], model: str, created: str, patches: int
) -> str:
    """Render the page of tiles of one's own choice.

    Parameters
    ----------
    answers
        The tiles that it shows.
    model
        Name of the model that predicted.
    created
        When the page was made, in words.
    patches
        Patches a side that were covered by turns.

    Returns
    -------
    str
        A whole HTML document. All text that comes from data is escaped.
    """
    classes = sorted({name for each in answers for name in each.probabilities})
    return (
        page_environment()
        .get_template("explained_page.html.j2")
        .render(
            answers=answers,
            model=model,
            created=created,
            patches=patches,
            colours=class_colours(classes),
        )
    )
