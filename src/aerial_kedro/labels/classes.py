"""Land-cover classes: the table from codes of the land-cover raster to classes."""

from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import CheckedModel

UNSURE = "Unsure"
"""Name on the map where the model abstains; no class may have it."""


_SHOWN = 20  # codes in a message
# Of the legend of 1992, codes that later editions of NLCD do not have.
_ONLY_1992 = {32, 33, 61, 83, 84, 85, 91, 92}


Colour = Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]
"""A colour as ``#rrggbb``."""


class LandCoverClasses(CheckedModel):
    """The table from land-cover codes to classes.

    Parameters
    ----------
    codes
        Class name to the codes that belong to it; the order is the order of the map's values.
    excluded
        Classes that are kept in the catalog and on the map but not trained on.
    background
        Codes that mean "no land cover here", besides the raster's own nodata value.
    colours
        Class to ``#rrggbb``; other classes have the colours of `report.colours`.
    """

    codes: dict[str, list[int]] = Field(min_length=2)
    excluded: list[str] = Field(default_factory=list)
    background: list[int] = Field(default_factory=list)
    colours: dict[str, Colour] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _codes_are_unambiguous(self) -> Self:
        seen: dict[int, str] = {}
        for name, codes in self.codes.items():
            for code in codes:
                if code in seen:
                    raise ValueError(f"code {code} is in both {seen[code]!r} and {name!r}")
                if code in self.background:
                    raise ValueError(f"code {code} of {name!r} is also a background code")
                seen[code] = name
        taken = [name for name in self.codes if name.strip().casefold() == UNSURE.casefold()]
        if taken:
            raise ValueError(
                f"a class cannot be called {taken[0]!r}: the map gives that name to tiles for "
                "which the model abstains; call the class otherwise"
            )
        unknown = sorted(set(self.excluded) - set(self.codes))
        if unknown:
            raise ValueError(f"excluded classes {unknown} are not in the table {list(self.codes)}")
        unknown = sorted(set(self.colours) - set(self.codes))
        if unknown:
            raise ValueError(f"colours are given for {unknown}, which are not in the table")
        return self

    @property
    def names(self) -> list[str]:
        """All classes, in the map's order."""
        return list(self.codes)

    @property
    def trained(self) -> list[str]:
        """The classes that models learn, in the map's order."""
        return [name for name in self.codes if name not in self.excluded]

    def on_map(self, of_model: list[str]) -> list[str]:
        """Name the classes in the order of a map's values: the table's, or a model's own."""
        return self.names if set(of_model) <= set(self.names) else of_model

    @cached_property
    def class_of_code(self) -> dict[int, str]:
        """Code of the land-cover raster to class name."""
        return {code: name for name, codes in self.codes.items() for code in codes}

    def check_codes(self, codes: Iterable[float], source: str) -> None:
        """Refuse a raster that holds codes which are not in the table.

        Parameters
        ----------
        codes
            Values found in the raster, nodata left out.
        source
            Address of the raster, for the message.

        Raises
        ------
        AerialError
            If any value is neither in the table nor a background code, or is no whole number.
        """
        found = sorted(set(codes))
        if not found:
            raise AerialError(
                f"The land cover {source} holds no code: it is empty everywhere. Take it out of "
                "the folder, or give another raster."
            )
        known = set(self.class_of_code) | set(self.background)
        unknown = [code for code in found if code not in known]
        if unknown and len(unknown) < len(found) and _ONLY_1992.issuperset(unknown):
            raise AerialError(
                f"The land cover {source} holds the codes {_listed(unknown)}, which NLCD had in "
                "1992 and in no later edition: its legend is another one. Give the edition of 2001 "
                "or a later one, or take the class table of 1992, which docs/imagery.md has, into "
                "conf/local/parameters.yml."
            )
        if unknown or not set(found) & set(self.class_of_code):
            raise AerialError(
                f"The land cover {source} holds the codes {_listed(found)}, of which "
                f"{_listed(unknown) if unknown else 'none'} "
                f"{'are not' if unknown else 'is'} in the class table. It is not NLCD as "
                "published (a recoded copy?). Give the original raster, or describe these codes "
                "in the parameter `land_cover.codes`."
            )


def read_legend(text: str, source: str) -> tuple[tuple[int, str], ...]:
    """Read codes and classes from a raster's tag ``CLASSES``, which maps made here have.

    Parameters
    ----------
    text
        The tag's text; empty where the raster has none.
    source
        Address of the raster, for the message.

    Raises
    ------
    AerialError
        If the text is no list of numbers and names, or names fewer than two classes.

    Examples
    --------
    >>> read_legend("1 Barren, 2 Row crop", "map.tif")
    ((1, 'Barren'), (2, 'Row crop'))
    """
    found = []
    for part in filter(None, text.split(", ")):
        code, _, name = part.partition(" ")
        if not code.isdecimal() or not name:
            raise AerialError(
                f"The tag CLASSES of {source} is {text!r}: it must list codes and classes, such as "
                "'1 Barren, 2 Forest'. Mend it (gdal_edit.py -mo CLASSES=…) or take it out."
            )
        found.append((int(code), name))
    if found and len({name for _, name in found}) < 2:  # noqa: PLR2004
        raise AerialError(f"The tag CLASSES of {source} is {text!r}: it must name two classes.")
    return tuple(found)


def _listed(codes: list[float]) -> str:
    text = ", ".join(f"{code:g}" for code in codes[:_SHOWN])
    return text + (f" … ({len(codes)} in all)" if len(codes) > _SHOWN else "")
