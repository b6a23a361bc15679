"""Nodes that gather what the report shows of a map of cells: figures, imagery, the map of tiles."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.ground import CellMapSummary
from aerial_kedro.cells.describe import COLOUR_COLUMNS, average_colours
from aerial_kedro.cells.grid import SIDE
from aerial_kedro.cells.statistics import BANDS
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.maps.drawing import NODATA
from aerial_kedro.maps.imagery import imagery_of_tiles
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.pictures import collect_pixels
from aerial_kedro.pipelines.reporting.nodes import image_of_tiles
from aerial_kedro.report.cell_content import CellContent
from aerial_kedro.report.content import UnsureTiles
from aerial_kedro.report.pictures import NO_DATA, ImageryPicture, MapImage
from aerial_kedro.report.thinning import thin_imagery
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.tiles.catalog import ddl

_LONGEST_PX = 700
# Tiles of all years that are read once more for the picture: some seconds.
_MOST_READ = 3_000
_PLACE = ("image_id", "epsg", "xmin", "ymin", "xmax", "ymax")


def gather_cells(
    training: TrainingSummary, ground: CellMapSummary, model: TrainedModel
) -> CellContent:
    """Put together what the report says of the classifiers of cells and of their map.

    Parameters
    ----------
    training
        The classifiers.
    ground
        How much of the ground their map has right.
    model
        The chosen classifier.
    """
    inputs = model.card.cells
    return CellContent(
        training=training,
        ground=ground,
        size_m=(model.card.tile_size_m or 0) / SIDE,
        infrared=inputs is not None and inputs.infrared,
        components=inputs.components if inputs else 0,
        settings=model.card.settings,
    )


def draw_tile_maps(
    mapped: pd.DataFrame, maps: dict[str, MapImage], classes: LandCoverClasses
) -> dict[str, MapImage]:
    """Draw the map with one class a tile of the years that have a map of cells, to compare.

    Parameters
    ----------
    mapped
        ``epsg, xmin, ymin, xmax, ymax, year, mapped_class`` of the tiles.
    maps
        The maps of cells.
    classes
        The class table.
    """
    names = [*classes.names, UNSURE]
    value_of = {name: value for value, name in enumerate(names)}
    images = {}
    for year, found in mapped.groupby("year"):
        if str(year) not in maps:
            continue
        tiles = found.reset_index(drop=True)
        values = tiles["mapped_class"].map(value_of).fillna(NO_DATA).to_numpy(np.uint8)
        images[str(year)] = image_of_tiles(tiles, values, names, classes.colours)
    return images


def count_unsure_cells(
    maps: dict[str, Callable[[], Raster]], classes: LandCoverClasses, settings: MapSettings
) -> dict[str, UnsureTiles]:
    """Count, for each year, the cells that the map leaves open.

    Parameters
    ----------
    maps
        The maps of cells, as `draw_cell_maps` makes them.
    classes
        The class table.
    settings
        Whether the maps are smoothed.
    """
    counts = {}
    for name, load in maps.items():
        values = load().pixels[0]
        counts[name.removeprefix("map_")] = UnsureTiles(
            count=int((values != NODATA).sum()),
            unsure=int((values == len(classes.names) + 1).sum()),
            smoothed=None if settings.smoothing else 0,
            units="cells",
        )
    return counts


def picture_ground(
    cell_predictions: DataFrame,
    tile_catalog: DataFrame,
    tile_features: DataFrame,
    source: FeatureSource,
    maps: dict[str, MapImage],
) -> dict[str, ImageryPicture]:
    """Picture the imagery under the maps of cells, as finely as a page can show.

    A small area is read once more. Of a large one a page can show no more than the mean colour of
    each cell, which featurization has stored.

    Parameters
    ----------
    cell_predictions
        The tiles on the maps.
    tile_catalog
        Where their pixels are.
    tile_features
        What is stored of their cells.
    source
        What computed it.
    maps
        The maps, by year.
    """
    places = cell_predictions.select(*_PLACE, "year").orderBy("image_id").toPandas()
    shown = {
        str(year): rows.reset_index(drop=True)
        for year, rows in places.groupby("year")
        if str(year) in maps
    }
    read_again = sum(map(len, shown.values())) <= _MOST_READ
    pictures = {}
    for year, rows in shown.items():
        side = _pixels_a_tile(rows)
        of_year = tile_catalog.filter(F.col("year") == int(year))
        if read_again and side > SIDE:
            names, squares = _stacked(collect_pixels(of_year, side), side)
        else:
            names, squares = _mean_colours(of_year, tile_features, source)
        at = pd.Index(names, dtype=object).get_indexer(pd.Index(rows["image_id"]))
        known = rows[at >= 0].reset_index(drop=True)
        if len(known):
            mosaic = imagery_of_tiles(known, squares[at[at >= 0]])
            pictures[year] = thin_imagery(mosaic, _LONGEST_PX)
    return pictures


def _stacked(pixels: dict[str, np.ndarray], side: int) -> tuple[list[str], np.ndarray]:
    found = np.empty((len(pixels), side, side, 3), np.uint8)
    for row, each in zip(found, pixels.values(), strict=True):
        row[:] = each
    return list(pixels), found


def _pixels_a_tile(tiles: pd.DataFrame) -> int:
    """Pixels a side of a tile of which the picture of all has about the pixels wanted."""
    main = tiles[tiles["epsg"] == tiles["epsg"].mode().iloc[0]]
    size = float((main["xmax"] - main["xmin"]).iloc[0])
    across = max(
        float(main["xmax"].max() - main["xmin"].min()),
        float(main["ymax"].max() - main["ymin"].min()),
    )
    return max(1, min(_LONGEST_PX, int(_LONGEST_PX * size / across)))


def _mean_colours(
    tiles: DataFrame, tile_features: DataFrame, source: FeatureSource
) -> tuple[list[str], np.ndarray]:
    """Take the mean colour of each cell, ``(tiles, 7, 7, 3)``, from what is stored of the tiles.

    Workers decode what is stored: its numbers would take kilobytes a tile of the driver's memory,
    its colours are 147 bytes.
    """
    own = ["image_id", "source_version"]
    stored = (
        tile_features.filter(F.col("feature_key") == source.key)
        .select(*own, "cell_statistics")
        .join(tiles.select(own), own, "left_semi")  # the store holds other years and areas too
        .select("image_id", "cell_statistics")
        .mapInPandas(average_colours, ddl(COLOUR_COLUMNS))
        .toPandas()
    )
    shape = (len(stored), SIDE, SIDE, len(BANDS))
    colours = np.frombuffer(b"".join(stored["colours"]), np.uint8).reshape(shape)
    return stored["image_id"].tolist(), colours
