"""Records of the tile catalog and of what became of its tiles, as the pipelines write them."""

import numpy as np
import pandas as pd

from aerial_kedro.parameters import CheckedModel


class CatalogFingerprint(CheckedModel):
    """What identifies a tile catalog in the run history, whatever the order of its rows.

    Parameters
    ----------
    digest
        SHA-256 of the rows, in hexadecimal: equal where all images, their versions, labels and
        splits are.
    images
        Number of rows.
    """

    digest: str
    images: int


class QuarantineSummary(CheckedModel):
    """How many tiles could not be read.

    Parameters
    ----------
    tiles, quarantined
        Number of tiles that were to be featurized, and of those that could not be read.
    reasons
        Reason to the number of tiles.
    examples
        Some of the tiles: ``(image_id, href, reason)``.
    """

    tiles: int
    quarantined: int
    reasons: dict[str, int]
    examples: list[tuple[str, str, str]]


class ScoreSummary(CheckedModel):
    """How many tiles of which class a model found.

    Parameters
    ----------
    model
        Name of the model.
    tiles, scored, quarantined
        Number of images in the folder, of those with a prediction, and of those that could not be
        read.
    located
        Number of tiles with a prediction and coordinates: those on the map.
    by_class
        Class of the model to the number of tiles predicted as it; 0 where there is none.
    """

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


class CatalogSummary(CheckedModel):
    """Counts of the catalog's images.

    Parameters
    ----------
    images, places, sources
        Number of images, of places on the ground, and of scenes (or files).
    by_year, by_split, by_label
        Images by year, by split, and by the outcome of their labelling.
    class_by_split
        ``{class: {split: images}}``, with ``none`` for labelled tiles outside every split.
    """

    images: int
    places: int
    sources: int
    by_year: dict[str, int]
    by_split: dict[str, int]
    by_label: dict[str, int]
    class_by_split: dict[str, dict[str, int]]

    @property
    def share_in_no_figure(self) -> float:
        """Share of the images that no accuracy can be of: mixed, or of a class that is excluded."""
        evaluated = sum(
            sum(counts.values())
            for counts in self.class_by_split.values()
            if set(counts) - {"none"}
        )
        return 1 - evaluated / self.images if self.images else 0.0


def summarise(counted: pd.DataFrame, places: int, sources: int) -> CatalogSummary:
    """Add up grouped counts.

    Parameters
    ----------
    counted
        ``year, split, label, covered, is_empty, images``: one row for each combination.
    places, sources
        Distinct places and scenes.
    """
    frame = counted.assign(
        split=counted["split"].fillna("none"),
        outcome=np.select(
            [
                counted["is_empty"].to_numpy(bool),
                counted["label"].notna(),
                counted["covered"].to_numpy(bool),
            ],
            ["no data in the image", "labelled", "mixed"],
            "outside the land cover",
        ),
    )
    by_class = frame.pivot_table("images", index="label", columns="split", aggfunc="sum")
    return CatalogSummary(
        images=int(frame["images"].sum()),
        places=places,
        sources=sources,
        by_year=_totals(frame.dropna(subset=["year"]).astype({"year": int}), "year"),
        by_split=_totals(frame, "split"),
        by_label=_totals(frame, "outcome"),
        class_by_split={
            str(name): {str(split): int(images) for split, images in row.dropna().items()}
            for name, row in by_class.iterrows()
        },
    )


def _totals(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in frame.groupby(column)["images"].sum().items()}
