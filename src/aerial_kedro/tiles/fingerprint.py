"""What a tile catalog is known by in the run history."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class CatalogFingerprint(BaseModel):
    """A digest of the catalog's rows, whatever their order.

    Parameters
    ----------
    digest
        SHA-256, in hexadecimal: equal where all images, their versions, labels and splits are.
    images
        Rows behind it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str
    images: int
