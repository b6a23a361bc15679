"""The page of tiles of one's own choice: one HTML file, no network, no script."""

from __future__ import annotations

from collections.abc import Sequence

from aerial_kedro.report.colours import class_colours
from aerial_kedro.report.explained import ExplainedAnswer
from aerial_kedro.report.pages import data_address, page_environment


def render_explained(
    answers: Sequence[ExplainedAnswer], model: str, created: str, patches: int
) -> str:
    """Render the page.

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
        page_environment({"address": data_address, "place": _place})
        .get_template("explained_page.html.j2")
        .render(
            answers=answers,
            model=model,
            created=created,
            patches=patches,
            colours=class_colours(classes),
        )
    )


def _place(answer: ExplainedAnswer) -> str | None:
    """Write where a tile is.

    Examples
    --------
    >>> from types import SimpleNamespace as Answer
    >>> _place(Answer(lon=-71.25, lat=42.5))
    '42.50000° N, 71.25000° W'
    """
    if answer.lon is None or answer.lat is None:
        return None
    north, east = "NS"[answer.lat < 0], "EW"[answer.lon < 0]
    return f"{abs(answer.lat):.5f}° {north}, {abs(answer.lon):.5f}° {east}"
