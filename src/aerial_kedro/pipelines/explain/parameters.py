"""Parameters of explanations."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ExplainSettings(BaseModel):
    """Which tiles are explained, and how closely.

    Parameters
    ----------
    tiles
        Their `image_id` or `tile_id` (all years); ``A/B`` is read as two.
    patches
        Patches a side that are covered by turns.
    neighbours
        Nearest training tiles to show.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiles: tuple[str, ...] = ()
    patches: int = Field(gt=0, le=32)
    neighbours: int = Field(ge=0, le=24)

    @field_validator("tiles", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        # The command line reads a name of digits as a number.
        names = value if isinstance(value, list | tuple) else str(value or "").split("/")
        return tuple(str(name).strip() for name in names if str(name).strip())
