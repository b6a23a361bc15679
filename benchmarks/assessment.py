"""How often the 95 % intervals of an assessment hold the truth.

Takes the maps of a finished main job on the embedded sample, whose truth is known for every cell,
draws a reference sample with each of many seeds, answers it from the truth, and counts how often
the interval of each figure holds the value that a census of all cells gives. Cells without a truth
are taken off the maps first.

Run it with ``make bench-assessment``, or ``python -m benchmarks.assessment --data DATA``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml

from aerial_kedro.accuracy.assessment import assess_map
from aerial_kedro.accuracy.sampling import SamplingRules
from aerial_kedro.accuracy.stratified import Figure
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.change.cells import CellTransitions
from aerial_kedro.change.checked import assess_change
from aerial_kedro.change.drawn import draw_design
from aerial_kedro.change.interpreted import interpret_change, interpret_year
from aerial_kedro.change.reference import classes_of_maps, name_cells
from aerial_kedro.change.shown import ShownMap, show_map
from aerial_kedro.datasets.land_cover import LandCoverDataset
from aerial_kedro.labels.cells import largest_class
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import cell_shares
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.maps.patches import PatchRules

PROJECT = Path(__file__).parents[1]
TARGET = 0.92

Truth = dict[int, np.ndarray]
"""Year to the true class of each cell, ``(places, 49)``, as a position in the map's names."""


@dataclass
class Coverage:
    """How often intervals held a value, and their mean half width."""

    truth: float
    held: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        """Count an interval; none at all holds nothing."""
        known = figure.low is not None and figure.high is not None
        self.held.append(bool(known and figure.low <= self.truth <= figure.high))
        self.widths.append(figure.half_width if figure.half_width is not None else np.nan)

    @property
    def share(self) -> float:
        """Share of the intervals that held the value."""
        return float(np.mean(self.held))


def assess_seed(
    shown: ShownMap, truth: Truth, rules: SamplingRules, seed: int, now: ShownMap | None = None
) -> dict[str, Any]:
    """Draw a sample, answer it from the truth, and give its figures by name.

    Where a map is there ``now`` that is another than when the sample was drawn, figures are its.
    """
    design = draw_design(shown, "benchmark", rules, seed)
    shown = now or shown
    rows = pd.DataFrame(
        [
            (each.sample_id, each.cell_id, str(year), each.stratum)
            for each in design.cells
            for year in each.years
        ],
        columns=["sample_id", "cell_id", "year", "stratum"],
    )
    rows = pd.concat([rows, shown.find(rows["cell_id"].tolist())], axis=1)
    names = np.array(shown.names, dtype=object)
    seen = [
        names[truth[int(year)][place, number]]
        for year, place, number in zip(rows["year"], rows["place"], rows["number"], strict=True)
    ]
    rows = rows.assign(**{"class": seen}, alternate="", second="", land_cover="", unsure=False)
    figures: dict[str, Any] = {}
    for year in design.years:
        found = assess_map(interpret_year(rows, design, shown, year), shown.areas_km2(year))
        figures[f"{year} overall"] = found.overall
        for name, each in found.classes.items():
            figures[f"{year} {name}, area"] = each.area_km2
            figures[f"{year} {name}, user's"] = each.users_accuracy
            figures[f"{year} {name}, producer's"] = each.producers_accuracy
    if len(design.years) > 1:
        change = assess_change(interpret_change(rows, design, shown))
        figures["change, area"] = change.area_km2
        figures["change, user's"] = change.users_accuracy
        figures["change, producer's"] = change.producers_accuracy
    return figures


def measure_coverage(
    shown: ShownMap,
    truth: Truth,
    rules: SamplingRules,
    seeds: Iterable[int],
    now: ShownMap | None = None,
) -> dict[str, Coverage]:
    """Count, for each figure, how often its interval holds what a census gives.

    Parameters
    ----------
    shown, truth
        The maps, and the true classes of all their cells.
    rules
        How large the samples are.
    seeds
        Of the draws.
    now
        As for `assess_seed`.
    """
    census = assess_seed(shown, truth, census_rules(shown), seed=0, now=now)
    found = {
        name: Coverage(figure.estimate)
        for name, figure in census.items()
        if figure.estimate is not None
    }
    for seed in seeds:
        for name, figure in assess_seed(shown, truth, rules, seed, now).items():
            if name in found:
                found[name].add(figure)
    return found


def census_rules(shown: ShownMap) -> SamplingRules:
    """Give rules by which every cell is drawn."""
    cells = sum(int((values > 0).sum()) for values in shown.shown.values())
    return SamplingRules(standard_error=0.4, expected_accuracy=0.85, fewest=max(2, cells))


def read_maps(data: Path) -> tuple[ShownMap, Truth]:
    """Read the maps of a finished run, and their truth; cells without one are left out."""
    settings = _parameters("data_ingestion", "scoring", "cells")
    table = LandCoverClasses.model_validate(settings["land_cover"])
    output = data / "07_model_output"
    rows = pq.read_table(output / "cell_predictions").to_pandas()
    rows = rows.sort_values(["year", "tile_id"], ignore_index=True)
    transitions = CellTransitions.model_validate_json(
        (output / "cell_transitions.json").read_text(encoding="utf-8")
    )
    card = json.loads(next((data / "06_models/cells").glob("*/model.json")).read_text())
    names = table.on_map(card["classes"])
    assert transitions.classes == names
    values = np.array([0, *(1 + names.index(name) for name in card["classes"])], np.uint8)
    rows["cell_classes"] = [
        values[np.frombuffer(each, np.uint8)].tobytes() for each in rows["cell_classes"]
    ]
    shown = show_map(
        rows,
        pd.read_parquet(output / "cell_change.parquet"),
        names,
        MapSettings.model_validate(settings["mapping"]),
        PatchRules.model_validate(settings["cells"]["patches"]),
    )
    truth = _true_cells(rows, shown, data / "01_raw/sample/truth", table, names)
    known = np.all([values > 0 for values in truth.values()], axis=0)
    for values in shown.shown.values():
        values[~known] = 0
    shown.changed[~known] = False
    return shown, truth


def _true_cells(
    rows: pd.DataFrame, shown: ShownMap, folder: Path, table: LandCoverClasses, names: list[str]
) -> Truth:
    maps = LandCoverDataset(path=str(folder), parameter="reference_root").load()
    truth = {}
    row_of = pd.Series(np.arange(len(shown.places)), index=shown.places["tile_id"])
    for year, tiles in rows.groupby("year"):
        own = [each for each in maps if each.year == year]
        legend = classes_of_maps(own, table)
        labels, _ = largest_class(cell_shares(tiles.reset_index(drop=True), own, legend))
        values = np.zeros((len(shown.places), COUNT), np.uint8)
        found = name_cells(labels.reshape(-1, COUNT), legend, table, names)
        values[row_of[tiles["tile_id"]]] = found
        truth[int(year)] = values
    return truth


def _parameters(*folders: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for folder in folders:
        path = PROJECT / "conf/base" / folder / "parameters.yml"
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Print the table, and the figures that are aimed at as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=PROJECT / "data")
    parser.add_argument("--seeds", type=int, default=200)
    arguments = parser.parse_args()
    shown, truth = read_maps(arguments.data)
    rules = SamplingRules.model_validate(_parameters("reference_sample")["reference"])
    cells = len(draw_design(shown, "benchmark", rules, 0).cells)
    found = measure_coverage(shown, truth, rules, range(arguments.seeds))
    print(f"{arguments.seeds} samples of {cells} cells")
    print(f"{'figure':34s} {'truth':>8s} {'held':>6s} {'half width':>11s}")
    for name, each in found.items():
        width = np.nanmean(each.widths)
        print(f"{name:34s} {each.truth:8.3f} {each.share:6.3f} {width:11.3f}")
    aimed = {name: each.share for name, each in found.items() if name.endswith(("overall", "area"))}
    worst = min(aimed, key=aimed.__getitem__)
    print(json.dumps({"seeds": arguments.seeds, "worst": worst, "least": aimed[worst]}))


if __name__ == "__main__":
    main()
