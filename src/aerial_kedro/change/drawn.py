"""The draw of a reference sample from what the maps show."""

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.sampling import (
    Draw,
    SampledCell,
    SampleDesign,
    SamplingRules,
    Stratum,
    allocate,
    name_cells,
)
from aerial_kedro.cells.drawing import numbers_of_cells
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.cells.places import name_cells_of_tiles
from aerial_kedro.change.shown import ShownMap

_TILES_AT_A_TIME = 20_000


def draw_design(shown: ShownMap, model: str, rules: SamplingRules, seed: int) -> SampleDesign:
    """Draw a stratified random sample of the cells on the maps.

    Every cell of a stratum has a number by chance, the same whenever it is asked for; those with
    the smallest are drawn.

    Parameters
    ----------
    shown
        What the maps show.
    model
        Name of the model that made them.
    rules
        How large the sample is.
    seed
        Seed of the draw.

    Raises
    ------
    AerialError
        If the limit of the sample is too small for its strata.
    """
    names, codes = shown.strata
    sizes = np.bincount(codes.ravel(), minlength=len(names))
    present = {names[at]: int(sizes[at]) for at in np.flatnonzero(sizes) if at}
    drawn = allocate(present, rules)
    draw = Draw({names.index(name): count for name, count in drawn.items()})
    for start in range(0, len(codes), _TILES_AT_A_TIME):
        part = slice(start, start + _TILES_AT_A_TIME)
        numbers = numbers_of_cells(shown.places["tile_id"].iloc[part].tolist(), seed)
        draw.look_at(numbers.ravel(), codes[part].ravel().astype(np.int64), COUNT * start)
    by_year = {
        str(year): np.bincount(codes[values > 0], minlength=len(names))
        for year, values in shown.shown.items()
    }
    return SampleDesign(
        model=model,
        map_key=shown.key,
        years=shown.years,
        classes=shown.classes,
        colours=shown.colours,
        cell_area_m2=shown.cell_area_m2,
        seed=seed,
        strata=[
            Stratum(
                name=name,
                cells=cells,
                drawn=drawn[name],
                cells_by_year={
                    year: int(counts[names.index(name)]) for year, counts in by_year.items()
                },
            )
            for name, cells in present.items()
        ],
        cells=_name_drawn(shown, {names[at]: each for at, each in draw.drawn.items()}, seed),
    ).signed()


def _name_drawn(
    shown: ShownMap, drawn: dict[str, NDArray[np.int64]], seed: int
) -> list[SampledCell]:
    tiles = shown.places["tile_id"].to_numpy()
    found = {}
    for stratum, positions in drawn.items():
        place, number = np.divmod(positions, COUNT)
        ids = name_cells_of_tiles(tiles[place], number)
        for cell_id, row, column in zip(ids, place, number, strict=True):
            seen = [year for year, values in shown.shown.items() if values[row, column]]
            found[cell_id] = (stratum, seen)
    return [
        SampledCell(
            sample_id=name, cell_id=cell_id, stratum=found[cell_id][0], years=found[cell_id][1]
        )
        for cell_id, name in name_cells(found, seed, shown.key).items()
    ]
