"""What few labels teach on the embedded sample: cells of the page's choice, and by chance.

The sample's truth stands in for the person: a cell that one class covers by three quarters gets
that class, any other is mixed and teaches nothing. Lists of cells of the training blocks, the
page's and random ones, are gone down until every class has 5, 20 or 50 labels; a logistic
regression, its penalty chosen on blocks of the labels, then classifies all cells of the test
blocks. Then two pages of 100 cells: the second without the labels of the first, with them, and by
chance.

Run it with ``make bench-labels``, or ``python -m benchmarks.few_labels --data DATA``, after a main
job on the sample. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import dataset

from aerial_kedro.cells.candidates import CandidateShares, describe_candidates
from aerial_kedro.cells.describe import CellInputs, measure_statistics, read_statistics
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.datasets.backbones import FeatureSourceDataset
from aerial_kedro.datasets.land_cover import LandCoverDataset
from aerial_kedro.labelling.learning import learn
from aerial_kedro.labelling.suggestions import SuggestRules, suggest
from aerial_kedro.labels.cells import largest_class
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import cell_shares
from aerial_kedro.models.few_labels import LabelledCells

LABELS_A_CLASS = (5, 20, 50)
PURE = 75  # percent of a cell
PAGE = 100
LIST = 2_000
CANDIDATES = 8_000


@dataclass(frozen=True)
class Ground:
    """All cells with their numbers, and what is there.

    Parameters
    ----------
    cells
        `cells.candidates.CANDIDATE_COLUMNS` without labels, ``split``, ``true`` (position of the
        class; -1 unknown) and ``answer`` (the same; -1 where the cell is mixed).
    features
        Their numbers, ``(cells, numbers)``.
    names
        Classes.
    """

    cells: pd.DataFrame
    features: np.ndarray
    names: list[str]


def read_ground(data: Path) -> Ground:
    """Read the tiles and features of a finished main job, and the truth."""
    source = FeatureSourceDataset(path=str(data / "06_models/backbone")).load()
    card = source.backbone.card.cells
    assert card is not None
    tiles = read_tiles(data, source.key)
    statistics = read_statistics(tiles["cell_statistics"].tolist(), infrared=True)
    means, deviations = measure_statistics(statistics.reshape(-1, statistics.shape[-1]))
    inputs = CellInputs(scales=card.scales, infrared=True, means=means, deviations=deviations)
    everything = CandidateShares(unlabelled=1, labelled=1, min_purity=1)
    cells = pd.concat(
        [
            describe_candidates(group.reset_index(drop=True), inputs, everything, 0)
            for _, group in tiles.groupby(["epsg", "year"])
        ],
        ignore_index=True,
    )
    truth, names = read_truth(data, tiles)
    cells = cells.assign(number=cells["cell_id"].str[-2:].astype(int))
    cells = cells.merge(truth, on=["image_id", "number"])
    return Ground(cells, np.array(cells["features"].tolist(), dtype=np.float32), names)


def read_tiles(data: Path, key: str) -> pd.DataFrame:
    """Read the tiles of a finished main job with their cells' features."""
    catalog = dataset.dataset(data / "03_primary/tile_catalog", format="parquet").to_table()
    stored = dataset.dataset(
        data / "04_feature/tile_features", format="parquet", partitioning="hive"
    ).to_table(["image_id", "source_version", "cells", "cell_statistics", "feature_key"])
    features = stored.to_pandas().query("feature_key == @key").drop(columns="feature_key")
    tiles = catalog.to_pandas().merge(features, on=["image_id", "source_version"])
    tiles = tiles.sort_values("image_id", ignore_index=True)
    size = tiles["xmax"] - tiles["xmin"]
    return tiles.assign(
        column=(tiles["xmin"] / size).round().astype(int),
        row=(tiles["ymin"] / size).round().astype(int),
        is_own=True,
        cell_labels=None,
        cell_purity=None,
    )


def read_truth(data: Path, tiles: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Read what is there in every cell of the sample, and the names of the classes."""
    maps = LandCoverDataset(path=str(data / "01_raw/sample/truth"), parameter="--data").load()
    table = LandCoverClasses(codes={name: [code] for code, name in maps[0].legend})
    parts = []
    for year, group in tiles.groupby("year"):
        of_year = [each for each in maps if each.year == year]
        labels, purity = largest_class(cell_shares(group, of_year, table))
        true = labels.ravel().astype(int) - 1
        parts.append(
            pd.DataFrame(
                {
                    "image_id": np.repeat(group["image_id"].to_numpy(), COUNT),
                    "split": np.repeat(group["cell_split"].to_numpy(), COUNT),
                    "number": np.tile(np.arange(COUNT), len(group)),
                    "true": true,
                    "answer": np.where(purity.ravel() >= PURE, true, -1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True), table.names


def go_down(answers: np.ndarray, labels: int, classes: int) -> np.ndarray:
    """Go down a list of answers until each class has its labels: positions of those kept."""
    counts = np.zeros(classes, dtype=int)
    kept = []
    for position, answer in enumerate(answers.tolist()):
        if answer >= 0 and counts[answer] < labels:
            counts[answer] += 1
            kept.append(position)
        if (counts == labels).all():
            break
    return np.array(kept)


def measure_right(ground: Ground, taught: np.ndarray) -> float:
    """Share of the test blocks' cells that a classifier taught by some cells has right."""
    test = np.flatnonzero((ground.cells["split"] == "test") & (ground.cells["true"] >= 0))
    known = ground.cells.iloc[taught].reset_index(drop=True)
    cells = LabelledCells(
        ground.features[taught],
        np.array(ground.names, dtype=object)[known["answer"].to_numpy()],
        known["block_id"].to_numpy(object),
        pd.factorize(known["cell_id"])[0],
        known[["lon", "lat"]].assign(size_m=0.0),
    )
    found, _ = learn(cells, ground.features[test], ground.names, seed=1)
    return float((found.argmax(axis=1) == ground.cells["true"].to_numpy()[test]).mean())


def choose_page(
    ground: Ground, drawn: np.ndarray, count: int, seed: int, known: np.ndarray | None = None
) -> np.ndarray:
    """Choose cells as the page does of those drawn, with the answers of some: their positions."""
    rules = SuggestRules(cells=count, candidates=1, share_doubtful=0, share_unlike=0.3)
    taken = drawn if known is None else np.union1d(drawn, known)
    labels = np.zeros(len(ground.cells), dtype=int)
    if known is not None:
        labels[known] = ground.cells["answer"].to_numpy()[known] + 1
    candidates = ground.cells.iloc[taken].assign(label=labels[taken], position=taken)
    found = suggest(candidates, rules, ground.names, seed)
    keyed = candidates.set_index(["cell_id", "year"])["position"]
    return keyed.loc[pd.MultiIndex.from_frame(found[["cell_id", "year"]])].to_numpy()


def measure_lists(ground: Ground, seeds: int) -> Iterator[tuple[str, list[float]]]:
    """Go down the page's lists and random ones: what was measured, and its value of each seed."""
    train = np.flatnonzero(ground.cells["split"] == "train")
    answers = ground.cells["answer"].to_numpy()
    orders = [np.random.default_rng(seed).permutation(train) for seed in range(seeds)]
    pages = [
        choose_page(ground, order[:CANDIDATES], LIST, seed) for seed, order in enumerate(orders)
    ]
    for name, lists in (("page", pages), ("random", orders)):
        for labels in LABELS_A_CLASS:
            kept = [each[go_down(answers[each], labels, len(ground.names))] for each in lists]
            yield f"{name}_{labels}", [measure_right(ground, each) for each in kept]


def measure_rounds(ground: Ground, seeds: int) -> Iterator[tuple[str, list[float]]]:
    """Label two pages of cells, the second chosen in three ways."""
    train = np.flatnonzero(ground.cells["split"] == "train")
    answers = ground.cells["answer"].to_numpy()
    found: dict[str, list[float]] = {"one_page": [], "without": [], "with": [], "by_chance": []}
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(train)
        both = choose_page(ground, order[:CANDIDATES], 2 * PAGE, seed)
        first = both[:PAGE][answers[both[:PAGE]] >= 0]
        seconds = {
            "one_page": first[:0],
            "without": both[PAGE:],
            "with": choose_page(ground, order[:CANDIDATES], PAGE, seed, first),
            "by_chance": order[-PAGE:],
        }
        for name, second in seconds.items():
            taught = np.concatenate([first, second[answers[second] >= 0]])
            found[name].append(measure_right(ground, np.unique(taught)))
    yield from found.items()


def main() -> None:
    """Print the share of the test blocks' ground that is right, and all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    ground = read_ground(asked.data)
    found = {}
    for measure in (measure_lists, measure_rounds):
        for name, values in measure(ground, asked.seeds):
            found[name] = float(np.mean(values))
            spread = f"{min(values):.3f} to {max(values):.3f}"
            print(f"{name:12s} {found[name]:.3f}  ({len(values)} draws, {spread})", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
