"""The tile catalog in numbers."""

from __future__ import annotations

import pandas as pd
from pydantic import BaseModel, ConfigDict


class CatalogSummary(BaseModel):
    """Counts of the catalog's images.

    Parameters
    ----------
    images, places, sources
        Number of images, of places on the ground, and of scenes (or files).
    by_year, by_split, by_label
        Images by year, by split, and by what became of their label.
    class_by_split
        ``{class: {split: images}}``, with ``none`` for labelled tiles outside every split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: int
    places: int
    sources: int
    by_year: dict[str, int]
    by_split: dict[str, int]
    by_label: dict[str, int]
    class_by_split: dict[str, dict[str, int]]


def summarise(counted: pd.DataFrame, places: int, sources: int) -> CatalogSummary:
    """Add up grouped counts.

    Parameters
    ----------
    counted
        ``year, split, label, covered, is_empty, images``: one row for each combination.
    places, sources
        Distinct places and scenes.
    """
    frame = counted.copy()
    frame["split"] = frame["split"].fillna("none")
    frame["outcome"] = [
        _outcome(label, covered, is_empty)
        for label, covered, is_empty in zip(
            frame["label"], frame["covered"], frame["is_empty"], strict=True
        )
    ]
    labelled = frame[frame["label"].notna()]
    class_by_split: dict[str, dict[str, int]] = {}
    by_class = labelled.groupby(["label", "split"], as_index=False)["images"].sum()
    for name, split, count in zip(*(by_class[each] for each in by_class), strict=True):
        class_by_split.setdefault(str(name), {})[str(split)] = int(count)
    return CatalogSummary(
        images=int(frame["images"].sum()),
        places=places,
        sources=sources,
        by_year=_totals(frame.dropna(subset=["year"]).astype({"year": int}), "year"),
        by_split=_totals(frame, "split"),
        by_label=_totals(frame, "outcome"),
        class_by_split=class_by_split,
    )


def _outcome(label: object, covered: bool, is_empty: bool) -> str:
    if is_empty:
        return "no data in the image"
    if isinstance(label, str):
        return "labelled"
    return "mixed" if covered else "outside the land cover"


def _totals(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in frame.groupby(column)["images"].sum().items()}
