"""How far a model holds on the ground that it mapped, in figures and in words."""

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field

from aerial_kedro.parameters import CheckedModel

_MOST = 0.5
UNKNOWN = (
    "How far the model holds here is not known: it was trained on too little to say. Train it on "
    "more to know."
)


class HeldGround(CheckedModel):
    """How far a model holds on some ground.

    Parameters
    ----------
    tiles
        Number of tiles that are known.
    expected_accuracy, outside_share
        Means over them, 0–1.
    """

    tiles: int = Field(gt=0)
    expected_accuracy: float = Field(ge=0, le=1)
    outside_share: float = Field(ge=0, le=1)


class ApplicabilitySummary(CheckedModel):
    """How far a model holds on all that a run has mapped or scored.

    Parameters
    ----------
    units
        What it predicts.
    overall
        Of all; None where the model does not know.
    by_year
        Of the tiles of each year; those without one are in ``overall`` alone.
    """

    units: Literal["cells", "tiles"] = "tiles"
    overall: HeldGround | None = None
    by_year: dict[str, HeldGround] = Field(default_factory=dict)

    @classmethod
    def of_years(
        cls, units: Literal["cells", "tiles"], found: Iterable[tuple[int | None, HeldGround]]
    ) -> Self:
        """Put years together, each with what was found of its tiles."""
        parts = list(found)
        tiles = sum(each.tiles for _, each in parts)
        if not tiles:
            return cls(units=units)
        expected, outside = (
            sum(getattr(each, name) * each.tiles for _, each in parts) / tiles
            for name in ("expected_accuracy", "outside_share")
        )
        return cls(
            units=units,
            overall=HeldGround(tiles=tiles, expected_accuracy=expected, outside_share=outside),
            by_year={str(year): each for year, each in parts if year is not None},
        )

    @property
    def warning(self) -> str | None:
        """What must be said first: most of the ground, or of a year's, is outside."""
        if self.overall is None:
            return None
        years = {year: found for year, found in self.by_year.items() if found.outside_share > _MOST}
        if self.overall.outside_share > _MOST:
            what = f"{_percent(self.overall.outside_share)} of the {self.units}"
        elif years:
            what = ", ".join(
                f"{_percent(found.outside_share)} of the {self.units} of {year}"
                for year, found in years.items()
            )
        else:
            return None
        return (
            f"The model mostly does not hold here: {what} are less like its training data than "
            "these are like each other. There it may be wrong however sure it is: train a model on "
            "labels of such ground, or check the map against some."
        )

    def __str__(self) -> str:
        """One line for the log."""
        if self.overall is None:
            return UNKNOWN
        years = self.by_year if len(self.by_year) > 1 else {}
        apart = "; ".join(
            f"{year}: {_percent(found.expected_accuracy)}, {_percent(found.outside_share)} outside"
            for year, found in years.items()
        )
        return (
            f"Expected accuracy {_percent(self.overall.expected_accuracy)}; "
            f"{_percent(self.overall.outside_share)} of the {self.units} lie outside of where the "
            f"model holds{f' ({apart})' if apart else ''}"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
