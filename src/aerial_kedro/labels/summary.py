"""What became of labels of one's own, counted."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aerial_kedro.labels.layer import LabelLayer
from aerial_kedro.labels.placing import CONTRADICTORY, LABELLED, MIXED, OTHER_YEAR, PARTLY
from aerial_kedro.parameters import CheckedModel


class ClassLabels(CheckedModel):
    """Labels of a class.

    Parameters
    ----------
    labels
        Rows of the file.
    cells
        Year of the scenes to the number of cells that they label in it.
    places
        Cells that they label in any year, each counted once.
    """

    labels: int
    cells: dict[int, int]
    places: int


class LabelSummary(CheckedModel):
    """What a file of labels taught, and what it did not. Labels are rows of the file.

    Parameters
    ----------
    path
        The file.
    rows
        Its rows.
    classes
        Class to its labels.
    left_out
        Why rows teach nothing, to the number of them.
    dated
        Labels with a year; the others teach every year of the scenes.
    labelling
        Labels that label a cell.
    too_small
        Labels on tiles of their year that label no cell: polygons that cover too little of each,
        and labels that others contradict everywhere.
    of_other_years
        Labels on tiles, but of other years than these.
    outside
        Labels on no tile.
    contradictory
        Cells (in one year) that labels of two classes label; nothing is learned from them.
    mixed
        Cells that polygons of several classes touch, of which none covers enough.
    partly
        Cells that the polygons of one class cover, but not enough.
    mended
        Polygons that were mended.
    spellings
        Names that may be spellings of one class.
    land_cover_cells
        Cells that a land cover labels, those of one's own among them; None without one.
    """

    path: str
    rows: int
    classes: dict[str, ClassLabels]
    left_out: dict[str, int]
    dated: int
    labelling: int
    too_small: int
    of_other_years: int
    outside: int
    contradictory: int
    mixed: int
    partly: int
    mended: int
    spellings: tuple[tuple[str, ...], ...]
    land_cover_cells: int | None = None

    @property
    def labels(self) -> int:
        """Labels: rows that teach, if they lie on the scenes."""
        return sum(each.labels for each in self.classes.values())

    @property
    def years(self) -> list[int]:
        """Years of the scenes in which labels label a cell."""
        return sorted({year for each in self.classes.values() for year in each.cells})

    def __str__(self) -> str:
        """Say in one sentence what was labelled, for the log."""
        cells = {name: sum(each.cells.values()) for name, each in self.classes.items()}
        by_class = ", ".join(f"{name} {count:,}" for name, count in cells.items())
        rest = (
            f"; the land cover labels {self.land_cover_cells:,}, these among them"
            if self.land_cover_cells is not None
            else ""
        )
        return (
            f"{self.labelling:,} labels of {self.path} label {sum(cells.values()):,} cells "
            f"({by_class}){rest}"
        )

    @property
    def sentences(self) -> list[str]:
        """All that the counts say of what was not learned from, for a log or a report."""
        counts = {
            "Rows of the file that teach nothing": sum(self.left_out.values()),
            "Labels outside all tiles of the scenes": self.outside,
            "Labels on tiles, but of years that these do not have": self.of_other_years,
            "Labels of no cell, since they cover too little of each, or others contradict them": (
                self.too_small
            ),
            "Cells labelled with more than one class, from which nothing is learned": (
                self.contradictory
            ),
            "Cells with polygons of several classes, of which none covers enough": self.mixed,
            "Cells that one class covers in part, and not enough": self.partly,
            "Polygons whose rings cross themselves, which were mended": self.mended,
            **{f"Rows {reason}": count for reason, count in self.left_out.items()},
        }
        found = [f"{what}: {count:,}." for what, count in counts.items() if count]
        found += [
            f"Perhaps spellings of one class, taken as different: {', '.join(map(repr, alike))}."
            for alike in self.spellings
        ]
        if self.dated < self.labels:
            undated = self.labels - self.dated
            found.append(f"Labels without a year, which teach every year of scenes: {undated:,}.")
        return found


def summarise_labels(layer: LabelLayer, placed: pd.DataFrame, names: Sequence[str]) -> LabelSummary:
    """Count what became of labels.

    Parameters
    ----------
    layer
        The labels.
    placed
        All that `labels.placing.find_labelled_cells` found.
    names
        The classes by which it numbered them.

    Returns
    -------
    LabelSummary
        The counts.
    """
    labels = layer.frame.drop_duplicates("row").set_index("row")
    kind = placed["found"].to_numpy(dtype=object)
    reached = _reached(labels, placed, names)
    counts = {name: len(rows) for name, rows in reached.items()}
    return LabelSummary(
        path=layer.path or "",
        rows=layer.rows,
        classes=_by_class(labels, placed[kind == LABELLED], names),
        left_out=dict(layer.left_out),
        dated=int(labels["year"].notna().sum()),
        **counts,
        outside=len(labels) - sum(counts.values()),
        contradictory=int((kind == CONTRADICTORY).sum()),
        mixed=int((kind == MIXED).sum()),
        partly=int((kind == PARTLY).sum()),
        mended=layer.mended,
        spellings=layer.spellings,
    )


def _reached(
    labels: pd.DataFrame, placed: pd.DataFrame, names: Sequence[str]
) -> dict[str, set[int]]:
    """Rows that label a cell, that only touch some, and that only other years' tiles have."""
    lists = placed["rows"].tolist()
    length = [len(each) for each in lists]
    row = np.concatenate([np.empty(0, dtype=np.int64), *lists]).astype(np.int64)
    kind = np.repeat(placed["found"].to_numpy(dtype=object), length)
    value = {name: 1 + position for position, name in enumerate(names)}
    own = labels["class_name"].map(value).reindex(row).to_numpy()
    labelling = (kind == LABELLED) & (own == np.repeat(placed["label"].to_numpy(), length))
    first = set(row[labelling].tolist())
    second = set(row[kind != OTHER_YEAR].tolist()) - first
    return {
        "labelling": first,
        "too_small": second,
        "of_other_years": set(row.tolist()) - first - second,
    }


def _by_class(
    labels: pd.DataFrame, labelled: pd.DataFrame, names: Sequence[str]
) -> dict[str, ClassLabels]:
    """Labels and labelled cells of each class that the file has."""
    found = {}
    for name, count in labels["class_name"].value_counts().sort_index().items():
        own = labelled[labelled["label"] == 1 + list(names).index(str(name))]
        by_year = own["year"].value_counts().sort_index()
        found[str(name)] = ClassLabels(
            labels=int(count),
            cells={int(str(year)): int(cells) for year, cells in by_year.items()},
            places=len(own[["tile_id", "cell"]].drop_duplicates()),
        )
    return found
