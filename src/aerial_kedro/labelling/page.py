"""The labelling page: one HTML file without a network, its script and pictures inside."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from aerial_kedro.labelling.content import CarriedLabel, LabelPage, LabelTask, media_type

_PACKAGE = "aerial_kedro.labelling"
# Run in this order, as one script.
_SCRIPTS = ("answers.js", "tables.js", "view.js", "keys.js")
# For classes that are named on the page: well apart, for colour-blind readers too.
SPARE_COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#5b3a8c",
    "#7a7a7a", "#8c564b", "#00695c", "#1a1a1a",
)  # fmt: skip


def render_label_page(page: LabelPage) -> str:
    """Render the labelling page.

    Parameters
    ----------
    page
        What it shows.

    Returns
    -------
    str
        A whole HTML document. Nothing is loaded from elsewhere, and the browser is made to refuse
        it. Text that comes from data is never read as HTML.
    """
    from aerial_kedro.report.pages import page_environment  # noqa: PLC0415  (loads slowly)

    script = _script()
    return (
        page_environment(_PACKAGE)
        .get_template("label.html.j2")
        .render(
            page=page,
            data=_data(page),
            script=script,
            script_hash=b64encode(sha256(script.encode()).digest()).decode("ascii"),
        )
    )


def _script() -> str:
    folder = files(_PACKAGE) / "templates"
    parts = [(folder / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return "\n".join(['"use strict";', *parts])


def _data(page: LabelPage) -> dict[str, object]:
    """All that the script reads; a picture that several tasks show is there once."""
    pictures: dict[bytes, int] = {}
    tasks = [_task(each, pictures) for each in page.tasks]
    free = [each for each in SPARE_COLOURS if each not in page.classes.values()]
    return {
        "key": page.autosave_key,
        "kind": page.kind,
        "classes": [{"name": name, "colour": colour} for name, colour in page.classes.items()],
        "spare": free or list(SPARE_COLOURS),
        "tasks": tasks,
        "carried": [_carry(each) for each in page.carried],
        "too_many": page.too_many,
        "pictures": [_address(each) for each in pictures],
    }


def _carry(label: CarriedLabel) -> dict[str, object]:
    """Make the row of the file; its name is that of no task, so that it answers none."""
    return {
        "sample_id": "earlier",
        "cell_id": label.cell_id,
        "year": label.year,
        "lon": round(label.lon, 7),
        "lat": round(label.lat, 7),
        "class": label.class_name,
        "alternate": "",
        "remark": "",
    }


def _task(task: LabelTask, pictures: dict[bytes, int]) -> dict[str, object]:
    def position(picture: bytes) -> int:
        return pictures.setdefault(picture, len(pictures))

    views = [
        {
            "year": view.year,
            "cell": position(view.cell),
            "tile": position(view.tile),
            "around": None if view.surroundings is None else position(view.surroundings),
        }
        for view in sorted(task.views, key=lambda each: each.year)
    ]
    own = task.model_dump(include={"sample_id", "cell_id", "year", "given", "why"})
    place = {"lon": round(task.lon, 7), "lat": round(task.lat, 7), "number": task.number}
    return {**own, **place, "views": views}


def _address(picture: bytes) -> str:
    return f"data:{media_type(picture)};base64,{b64encode(picture).decode('ascii')}"
