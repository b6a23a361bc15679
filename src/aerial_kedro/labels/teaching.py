"""Labels of one's own on their way to Spark's workers."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely

from aerial_kedro.labels.layer import LabelLayer

EVERY_YEAR = 0
"""Year of a label that has none."""


@dataclass(frozen=True)
class TeachingLabels:
    """Labels on their way to workers: arrays of numbers, which travel faster than shapes.

    Parameters
    ----------
    coordinates
        Corners of all shapes in degrees, float64, ``(corners, 2)``.
    first
        Where the corners of each ring begin, and where each polygon's rings do: as
        `shapely.to_ragged_array` has them.
    classes
        1 + position of each shape's class, uint8; points first, then polygons.
    years
        Year of each, int16; 0 for every year.
    rows
        Number of each one's row in the file, int64.
    points
        How many of the shapes are points; they come first.
    """

    coordinates: np.ndarray
    first: tuple[np.ndarray, ...]
    classes: np.ndarray
    years: np.ndarray
    rows: np.ndarray
    points: int

    @classmethod
    def of(cls, layer: LabelLayer, names: list[str]) -> Self:
        """Take what teaches from labels; ``names`` are all classes, in the order of their values.

        Raises
        ------
        ValueError
            If a class of the labels is not among the names.
        """
        shapes = np.array(layer.frame.geometry.array, dtype=object)
        is_point = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
        order = np.argsort(~is_point, kind="stable")
        frame, shapes, points = layer.frame.iloc[order], shapes[order], int(is_point.sum())
        no_polygons = shapely.GeometryType.POLYGON, np.empty((0, 2)), ()
        areas = shapes[points:]
        _, corners, first = shapely.to_ragged_array(areas) if len(areas) else no_polygons
        values = {name: 1 + position for position, name in enumerate(names)}
        unknown = set(layer.names) - set(values)
        if unknown:
            raise ValueError(f"classes {sorted(unknown)} are not among {names}")
        return cls(
            np.concatenate([shapely.get_coordinates(shapes[:points]), corners]),
            tuple(first),
            frame["class_name"].map(values).to_numpy(np.uint8),
            frame["year"].fillna(EVERY_YEAR).to_numpy(np.int16),
            frame["row"].to_numpy(np.int64),
            points,
        )

    def shapes(self) -> np.ndarray:
        """Points and polygons in degrees, ``(labels,)``."""
        points = shapely.points(self.coordinates[: self.points])
        if self.points == len(self.rows):
            return np.asarray(points)
        polygons = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, self.coordinates[self.points :], self.first
        )
        return np.concatenate([points, polygons])
