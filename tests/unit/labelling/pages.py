"""Labelling pages of made-up cells, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from aerial_kedro.labelling.content import CellViews, LabelPage, LabelTask
from aerial_kedro.labelling.pictures import encode_webp
from aerial_kedro.report.colours import class_colours

CLASSES = ["Forest", "Water", "Field"]


def make_task(number: int, years: tuple[int, ...] = (2012, 2018), **fields: Any) -> LabelTask:
    """A task whose pictures say by their grey which cell and year they are of."""
    views = []
    for year in years:
        grey = np.full((8, 8, 3), (number * 2 + year) % 256, dtype=np.uint8)
        picture = encode_webp(grey, None)
        views.append(CellViews(year=year, cell=picture, tile=picture, surroundings=picture))
    given = {
        "sample_id": f"s{number:03d}",
        "cell_id": f"e26918_s224_x{number}_y9#{number % 49:02d}",
        "year": years[-1],
        "lon": -77.5 + number / 1000,
        "lat": 36.25,
        "views": tuple(views),
    }
    return LabelTask.model_validate({**given, **fields})


def make_page(count: int = 3, **fields: Any) -> LabelPage:
    given = {
        "title": "Cells to label",
        "kind": "labels",
        "classes": class_colours(CLASSES),
        "tasks": tuple(make_task(number) for number in range(count)),
    }
    return LabelPage.model_validate({**given, **fields})
