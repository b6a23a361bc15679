"""What people saw in the cells of a sample, beside what the maps show of them."""

import numpy as np
import pandas as pd

from aerial_kedro.accuracy.assessment import Interpreted, Names
from aerial_kedro.accuracy.sampling import SampleDesign
from aerial_kedro.accuracy.stratified import StratifiedSample
from aerial_kedro.change.checked import InterpretedChange
from aerial_kedro.change.shown import ShownMap
from aerial_kedro.labels.classes import UNSURE

_M2_PER_KM2 = 1e6


def interpret_year(
    rows: pd.DataFrame, design: SampleDesign, shown: ShownMap, year: int
) -> Interpreted:
    """Put answers of a year beside its map.

    Parameters
    ----------
    rows
        ``year, stratum, class, alternate, second, land_cover, unsure, place, number`` of every
        sampled cell and year: `check_answers`, and `ShownMap.find`.
    design
        How the sample was drawn.
    shown
        What the maps show.
    year
        One of the design's.
    """
    own = rows[rows["year"] == str(year)].reset_index(drop=True)
    # Of the cells that this year shows, the drawn ones are a random sample of each stratum.
    sizes = [each.cells_by_year[str(year)] for each in design.strata]
    return Interpreted(
        sample=_stratified(own, design, sizes),
        cell_area_km2=design.cell_area_m2 / _M2_PER_KM2,
        mapped=shown.at(own, year),
        reference=_names(own["class"]),
        open_class=UNSURE,
        alternate=_names(own["alternate"]),
        second=_names(own["second"]),
        land_cover=_names(own["land_cover"]),
        unsure=own["unsure"].to_numpy(bool),
    )


def interpret_change(
    rows: pd.DataFrame, design: SampleDesign, shown: ShownMap
) -> InterpretedChange:
    """Put answers of both years of a cell beside the mapped change.

    Parameters
    ----------
    rows, design, shown
        As for `interpret_year`; the design has two years.
    """
    before, after = design.years
    first, second = (rows[rows["year"] == str(year)] for year in design.years)
    both = second.merge(first[["sample_id", "class"]], on="sample_id", suffixes=("", "_before"))
    sizes = [
        each.cells_by_year[str(before)] + each.cells_by_year[str(after)] - each.cells
        for each in design.strata
    ]
    return InterpretedChange(
        sample=_stratified(both, design, sizes),
        area_km2=sum(sizes) * design.cell_area_m2 / _M2_PER_KM2,
        before=before,
        after=after,
        mapped=shown.changed[both["place"], both["number"]],
        seen_before=_names(both["class_before"]),
        seen_after=_names(both["class"]),
    )


def _stratified(rows: pd.DataFrame, design: SampleDesign, sizes: list[int]) -> StratifiedSample:
    names = [each.name for each in design.strata]
    positions = rows["stratum"].map(names.index).to_numpy(np.int64)
    return StratifiedSample(names, np.array(sizes, float), positions)


def _names(column: pd.Series) -> Names:
    return column.to_numpy(dtype=object)
