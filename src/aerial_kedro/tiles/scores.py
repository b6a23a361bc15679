"""The predictions for a folder of tiles, in numbers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ScoreSummary(BaseModel):
    """How many tiles of which class a model found.

    Parameters
    ----------
    model
        Name of the model.
    tiles, scored, quarantined
        Images of the folder, those with a prediction, and those that could not be read.
    located
        Tiles with a prediction and coordinates: those on the map.
    by_class
        Class of the model to the number of tiles given to it; 0 where there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    tiles: int
    scored: int
    quarantined: int
    located: int
    by_class: dict[str, int]

    def __str__(self) -> str:
        """One line for the log."""
        classes = ", ".join(
            f"{name} {count:,}"
            for name, count in sorted(self.by_class.items(), key=lambda item: -item[1])
        )
        return (
            f"{self.scored:,} of {self.tiles:,} tiles scored with {self.model} ({classes}); "
            f"{self.quarantined:,} in quarantine, {self.located:,} on the map"
        )
