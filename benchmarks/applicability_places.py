"""Where a classifier of cells holds, on real ground: each place predicted from the others.

Two sets of the real data that tests use (``../shared/data``, or ``AERIAL_KEDRO_SHARED_DATA``), none
of it part of the project:

* 16 scenes of two quarter quads in West Virginia, with land cover of 1 m: cells of 8 m that one
  class covers by three quarters;
* 160 scenes of six cities in California, with points that say how many trees are in the 31 m
  around: cells of 7 m that a point lies in.

Of the place that is left out nothing is learned: neither the embedding of cells, the classifier and
its temperature, nor where it holds. The folds are of whole sites, whatever their year, and years
are left out as training does it, or folds where there is one year. Of the finished run only the
backbone is taken. Logistic regression is scikit-learn's, and all labelled cells count alike, where
training measures unmixed ones alone. It is done with several seeds, and tables show means.

Run it with ``make bench-applicability-places``, or ``python -m benchmarks.applicability_places
--data DATA``. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from aerial_kedro.accuracy.calibration import fit_temperature, scale_probabilities
from aerial_kedro.cells.describe import (
    CellInputs,
    describe_cells,
    measure_statistics,
    read_statistics,
)
from aerial_kedro.cells.grid import COUNT, pack
from aerial_kedro.cells.statistics import cell_statistics, thin_pixels
from aerial_kedro.datasets.backbones import FeatureSourceDataset
from aerial_kedro.datasets.labels import LabelFileDataset
from aerial_kedro.datasets.land_cover import LandCoverDataset
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.cell_projection import fit_projection, numbers_of_cells
from aerial_kedro.labels.cells import largest_class
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import cell_shares
from aerial_kedro.labels.layer import classes_of_labels, read_labels
from aerial_kedro.labels.placing import LABELLED, find_labelled_cells
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.labels.teaching import TeachingLabels
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.holding import Known, fit_applicability
from aerial_kedro.pipelines.featurization.preparation import CALIBRATION_TILES
from aerial_kedro.pipelines.training.applicability import parts_of_cells
from aerial_kedro.scenes.headers import read_header
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.splits.folds import assign_folds
from aerial_kedro.tiles.catalog import tiles_of_scene
from aerial_kedro.tiles.reading import read_tile
from benchmarks.applicability import fit
from benchmarks.few_labels import PURE

SHARED_DATA = Path(os.environ.get("AERIAL_KEDRO_SHARED_DATA", "../shared/data")).resolve()
COVER = LandCoverClasses(
    codes={"Water": [1], "Tree": [2], "Low vegetation": [3], "Impervious": [5, 6]}
)
FOLDS = 3
PENALTY = 0.1
# The scenes of the quarter quads do not say theirs; all are taken as of one year.
YEAR = 2018


@dataclass(frozen=True)
class Real:
    """A set of real scenes with labels.

    Parameters
    ----------
    scenes, labels
        Folder of the scenes, and folder or file of the labels, in the shared data.
    tile_size_m
        Side of a tile.
    place
        Pattern whose group in a scene's name is its place.
    label
        Labels cells by these: ``tile`` (position), ``number, label``.
    """

    scenes: str
    labels: str
    tile_size_m: float
    place: str
    label: Callable[[pd.DataFrame, Path], pd.DataFrame]


@dataclass(frozen=True)
class Ground:
    """The tiles of a set and its labelled cells.

    Parameters
    ----------
    tiles
        Scene by scene: ``scene, place, column, row, cell_statistics`` and the catalog's columns.
    numbers
        What the network says of their cells, ``(tiles, 7, 7, channels)``, float32.
    cells
        Labelled cells: ``tile`` (position), ``number, label, place, site, year``.
    """

    tiles: pd.DataFrame
    numbers: np.ndarray
    cells: pd.DataFrame


def label_by_land_cover(tiles: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Label the cells that one class covers by three quarters."""
    pieces = LandCoverDataset(path=str(folder), year=YEAR).load()
    found = largest_class(cell_shares(tiles, pieces, COVER))
    labels, purity = (each.reshape(len(tiles), COUNT) for each in found)
    tile, number = np.nonzero(purity >= PURE)
    names = np.array(COVER.names, dtype=object)[labels[tile, number].astype(int) - 1]
    return pd.DataFrame({"tile": tile, "number": number, "label": names})


def label_by_points(tiles: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Label the cells that points of one class and of the scene's year lie in."""
    rules = LabelRules(min_purity=PURE / 100)
    layer = read_labels(LabelFileDataset(path=str(file)).load(), rules)
    names = classes_of_labels(layer, None).names
    scenes = (each for _, each in tiles.groupby("scene", sort=False))
    parts = find_labelled_cells(scenes, TeachingLabels.of(layer, names), rules.min_purity)
    found = pd.concat(list(parts))
    found = found[found["found"] == LABELLED]
    tile = pd.Series(np.arange(len(tiles)), tiles["image_id"])[found["image_id"]].to_numpy()
    label = np.array(names, dtype=object)[found["label"].to_numpy(int) - 1]
    return pd.DataFrame({"tile": tile, "number": found["cell"].to_numpy(int), "label": label})


SETS = {
    "quarter quads": Real(
        "paired_1m/scenes", "paired_1m/labels_1m", 56, r"(\d+_[ns][ew])", label_by_land_cover
    ),
    "cities": Real(
        "naip/california", "points/california_tree_cells.csv", 50, r"^(\D+)_", label_by_points
    ),
}


def read_ground(real: Real, shared: Path, backbone: Backbone) -> Ground:
    """Find the tiles of a set, run the network on them and label their cells."""
    tiles = find_tiles(sorted((shared / real.scenes).glob("*.tif")), real.tile_size_m)
    tiles["place"] = tiles["scene"].str.extract(real.place)[0]
    tiles["site"] = tiles["scene"].str.replace(r"_20\d\d", "", regex=True)
    rows, size = tiles.to_dict("records"), backbone.card.input_size
    with SceneReader() as reader:
        pixels = np.array([read_tile(each, size, reader, infrared=True) for each in rows])
    tiles["cell_statistics"] = pack(cell_statistics(thin_pixels(pixels)))
    cells = real.label(tiles, shared / real.labels)
    of_tile = tiles.loc[cells["tile"], ["place", "site", "year"]].reset_index(drop=True)
    numbers = numbers_of_cells(backbone, pixels[..., :3])
    return Ground(tiles, numbers, pd.concat([cells, of_tile], axis=1))


def find_tiles(scenes: list[Path], size_m: float) -> pd.DataFrame:
    """List the tiles of scenes, scene by scene, with their places on the grid."""
    parts = []
    with SceneReader() as reader:
        for path in scenes:
            header = read_header(str(path), str(path), "as found", YEAR)
            found = tiles_of_scene(header, size_m, reader)
            ids = path.stem + "_" + found["image_id"]  # scenes may share a tile
            parts.append(found.assign(scene=path.stem, image_id=ids))
    tiles = pd.concat(parts, ignore_index=True)
    return tiles.assign(
        column=(tiles["xmin"] / size_m).round().astype(int),
        row=(tiles["ymin"] / size_m).round().astype(int),
    )


def describe(ground: Ground, place: str, seed: int) -> tuple[np.ndarray, CellInputs]:
    """Describe the labelled cells by what tiles of other places say of embedding and bands."""
    others = np.flatnonzero(ground.tiles["place"] != place)
    count = min(CALIBRATION_TILES, len(others))
    drawn = np.random.default_rng(seed).choice(others, count, replace=False)
    projection = fit_projection(ground.numbers[drawn].reshape(-1, ground.numbers.shape[-1]))
    stored = ground.tiles["cell_statistics"].iloc[others].tolist()
    statistics = read_statistics(stored, infrared=True)
    means, deviations = measure_statistics(statistics.reshape(-1, statistics.shape[-1]))
    inputs = CellInputs(
        scales=tuple(projection.scales.tolist()), infrared=True, means=means, deviations=deviations
    )
    tiles = ground.tiles.assign(cells=pack(projection.apply(ground.numbers)))
    scenes = [each.reset_index(drop=True) for _, each in tiles.groupby("scene", sort=False)]
    described = np.concatenate([describe_cells(each, inputs) for each in scenes])
    cells = described.reshape(len(tiles), COUNT, -1)
    return cells[ground.cells["tile"], ground.cells["number"]], inputs


def learn(
    cells: pd.DataFrame, numbers: np.ndarray, inputs: CellInputs, seed: int
) -> tuple[LogisticRegression, float, Applicability, float]:
    """Learn cells: the classifier, its temperature, where it holds, how often folds are right."""
    labels, weights = cells["label"].to_numpy(dtype=object), np.ones(len(cells))
    everything = np.ones(len(cells), dtype=bool)
    counts = pd.crosstab(cells["site"], cells["label"])
    folds = cells["site"].map(assign_folds(counts, FOLDS, seed)).to_numpy(dtype=object)
    classes = np.array(sorted(set(labels)), dtype=object)
    chances = np.zeros((len(cells), len(classes)))
    for fold in sorted(set(folds)):
        model = fit(numbers, labels, weights, folds != fold, PENALTY)
        own = np.flatnonzero(folds == fold)
        columns = np.searchsorted(classes, model.classes_)
        chances[np.ix_(own, columns)] = model.predict_proba(numbers[own])
    temperature = fit_temperature(chances, labels.tolist(), classes.tolist(), len(counts))
    scaled = scale_probabilities(chances, temperature)
    right = classes[scaled.argmax(axis=1)] == labels
    years = cells["year"].astype(str).to_numpy(dtype=object)
    known = Known(
        numbers, labels, folds, years if len(set(years)) > 1 else folds, everything, weights,
        everything, right, scaled.max(axis=1),
    )  # fmt: skip
    holds = fit_applicability(known, parts_of_cells(inputs), PENALTY, seed)
    assert holds is not None  # of thousands of cells
    model = fit(numbers, labels, weights, everything, PENALTY)
    return model, temperature, holds, float(right.mean())


def leave_out(ground: Ground, place: str, seed: int) -> pd.DataFrame:
    """Predict the cells of a place from those of the others: what is said of each, and is so."""
    own = (ground.cells["place"] == place).to_numpy()
    numbers, inputs = describe(ground, place, seed)
    model, temperature, holds, home = learn(ground.cells[~own], numbers[~own], inputs, seed)
    chances = scale_probabilities(model.predict_proba(numbers[own]), temperature)
    confidence = chances.max(axis=1)
    predicted = model.classes_[chances.argmax(axis=1)]
    right = predicted == ground.cells["label"].to_numpy(dtype=object)[own]
    found = pd.DataFrame(vars(holds.apply(numbers[own], confidence)))
    return found.assign(place=place, home=home, right=right, confidence=confidence)


def sum_up(cells: pd.DataFrame) -> pd.DataFrame:
    """Sum up cells by place and all of them, and how far what was said is from what is right."""
    said = ["home", "confidence", "expected"]
    rows = {}
    for place, group in [*cells.groupby("place"), ("all", cells)]:
        right, outside = group["right"], group["outside"]
        rows[place] = {
            "cells": len(group),
            **group[["right", *said, "outside"]].mean(),
            "right_outside": right[outside].mean(),
            "right_inside": right[~outside].mean(),
        }
    found = pd.DataFrame(rows, dtype=float).T
    places = found.drop(index="all")
    off = places[said].sub(places["right"], axis=0).abs()
    means = off.mul(places["cells"], axis=0).sum() / len(cells)
    return found.join(means.to_frame("all").T.add_suffix("_off"))


def measure(ground: Ground, seeds: int) -> pd.DataFrame:
    """Leave each place out with several seeds: means, with least and greatest of all cells."""
    places = sorted(set(ground.cells["place"]))
    runs = [
        sum_up(pd.concat([leave_out(ground, each, seed) for each in places]))
        for seed in range(1, seeds + 1)
    ]
    every = pd.DataFrame([run.loc["all"] for run in runs])
    means = pd.concat(runs).groupby(level=0, sort=False).mean()
    return pd.concat([means, every.agg(["min", "max"])])


def main() -> None:
    """Print a table of each set, and as the last line all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="of a finished run")
    parser.add_argument("--seeds", type=int, default=5, help="of folds, draws and refits")
    asked = parser.parse_args()
    if not SHARED_DATA.is_dir():
        raise SystemExit(f"{SHARED_DATA} is not there: set AERIAL_KEDRO_SHARED_DATA to its folder.")
    backbone = FeatureSourceDataset(path=str(asked.data / "06_models/backbone")).load().backbone
    figures = {}
    with threadpool_limits(limits=1):
        for name, real in SETS.items():
            ground = read_ground(real, SHARED_DATA, backbone)
            found = measure(ground, asked.seeds)
            print(f"{name}\n{found.round(3).to_string()}\n", flush=True)
            figures[name] = json.loads(found.to_json(orient="index"))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
