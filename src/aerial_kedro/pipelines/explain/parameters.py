"""Parameters of explanations."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from aerial_kedro.parameters import Names


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

    tiles: Names = ()
    patches: int = Field(gt=0, le=32)
    neighbours: int = Field(ge=0, le=24)
