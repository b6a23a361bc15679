"""What the labelling page shows, as plain data."""

import hashlib
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from aerial_kedro.cells.places import split_cell_ids
from aerial_kedro.labels.classes import Colour
from aerial_kedro.parameters import CheckedModel

_WEBP = (b"RIFF", b"WEBP")


def media_type(data: bytes) -> str:
    """Media type of an encoded picture, from its first bytes.

    Raises
    ------
    ValueError
        If it is neither PNG nor JPEG nor WebP.

    Examples
    --------
    >>> media_type(bytes.fromhex("ffd8ffe000104a46"))
    'image/jpeg'
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if (data[:4], data[8:12]) == _WEBP:
        return "image/webp"
    raise ValueError(
        f"A picture of a cell is neither PNG nor JPEG nor WebP (it begins with {data[:8]!r})."
    )


def _is_picture(data: bytes) -> bytes:
    media_type(data)
    return data


Picture = Annotated[bytes, AfterValidator(_is_picture)]
"""An encoded PNG, JPEG or WebP file."""


class CellViews(CheckedModel):
    """A cell in one year, at three scales; north is up.

    Parameters
    ----------
    year
        Year of the images.
    cell
        The cell itself, a pixel of the image a pixel.
    tile
        The tile that it lies in; the page outlines the cell.
    surroundings
        The tile and the eight around it; None where none of them is there.
    """

    year: int
    cell: Picture
    tile: Picture
    surroundings: Picture | None = None


class LabelTask(CheckedModel):
    """A cell in a year, of which a person is asked what it is.

    Parameters
    ----------
    sample_id
        Names the task together with the year; copied into the file.
    cell_id
        The cell, ``<tile_id>#<number>``.
    year
        The year that is asked for.
    lon, lat
        Centre of the cell, in degrees.
    views
        The cell in each year that there are images of.
    given
        Class that it is labelled so far, offered to keep; None to ask without a hint.
    why
        A sentence that says why this cell is asked for; empty to say nothing.
    """

    sample_id: str = Field(min_length=1)
    cell_id: str
    year: int
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    views: tuple[CellViews, ...] = Field(min_length=1)
    given: str | None = None
    why: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        split_cell_ids([self.cell_id])
        if self.year not in {each.year for each in self.views}:
            raise ValueError(f"The cell {self.cell_id} has no picture of {self.year}.")
        return self

    @property
    def number(self) -> int:
        """Number of the cell in its tile, 0–48, row by row from the north-west."""
        return int(split_cell_ids([self.cell_id])[1][0])


class CarriedLabel(CheckedModel):
    """A label that there is already, of a cell in a year; the page's file has it too.

    Parameters
    ----------
    cell_id
        The cell, ``<tile_id>#<number>``.
    year
        The year that it is of.
    lon, lat
        Centre of the cell, in degrees.
    class_name
        Its class.
    """

    cell_id: str
    year: int
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    class_name: str = Field(min_length=1)


class LabelPage(CheckedModel):
    """A page of cells to label.

    Parameters
    ----------
    title
        Headline of the page.
    kind
        ``labels``: to learn from, where new classes can be named and hints are shown;
        ``reference``: to check a map, where neither is so and a second class can be given.
    classes
        Class to its colour, ``#rrggbb``, in the order of the keys.
    tasks
        In the order in which they are shown.
    carried
        Labels that there are already: the page's file has them besides its answers, so that it
        holds all; an answer takes the place of the label of its cell and year.
    too_many
        Number of labels that there are where they are too many to carry, else 0: the page says so.
    key
        Under which the browser keeps the answers; empty: made from the tasks, so that another
        page never takes them.
    """

    title: str
    kind: Literal["labels", "reference"]
    classes: dict[str, Colour]
    tasks: tuple[LabelTask, ...] = Field(min_length=1)
    carried: tuple[CarriedLabel, ...] = ()
    too_many: int = Field(default=0, ge=0)
    key: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [(each.sample_id, each.year) for each in self.tasks]
        twice = sorted({each for each in names if names.count(each) > 1})
        if twice:
            raise ValueError(f"Two tasks of the page are called {twice[0][0]} in {twice[0][1]}.")
        known = self.carried or self.too_many or any(each.given or each.why for each in self.tasks)
        if self.kind == "reference" and known:
            raise ValueError(
                "A page that checks a map shows nothing of what is known of its cells."
            )
        if self.kind == "reference" and not self.classes:
            raise ValueError("A page that checks a map needs the map's classes.")
        return self

    @property
    def autosave_key(self) -> str:
        """The key, or one made from what is asked."""
        asked = [f"{each.sample_id} {each.cell_id} {each.year}" for each in self.tasks]
        text = "\n".join([self.kind, *asked])
        return self.key or hashlib.sha256(text.encode()).hexdigest()[:16]
