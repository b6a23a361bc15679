"""What the report's errors and tiles of one's own choice are explained by."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.explain.tiles import (
    HEAT_COLUMNS,
    NEIGHBOUR_COLUMNS,
    explain_tiles,
    find_neighbours,
)
from aerial_kedro.models.serving.model import ServedModel
from aerial_kedro.pipelines.pictures import PICTURE_PX, collect_pictures
from aerial_kedro.report.pictures import ExplainedTile, Neighbour, TilePicture
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.reading import SOURCE_COLUMNS


def explain_images(
    asked: pd.DataFrame,
    queries: Mapping[str, Sequence[float]],
    tile_catalog: DataFrame,
    training: DataFrame,
    served: ServedModel,
    patches: int,
    neighbours: int,
) -> list[ExplainedTile]:
    """Explain why images got their class.

    Parameters
    ----------
    asked
        ``image_id, label, pred_label, probability``, at least one row.
    queries
        Image to its features.
    tile_catalog
        Where the tiles are.
    training
        ``image_id, label, features`` of the training tiles.
    served
        What decided.
    patches
        A side, covered by turns.
    neighbours
        Nearest training tiles of each.

    Returns
    -------
    list of ExplainedTile
        In the order of the rows; without those that cannot be read any more.
    """
    ids = asked["image_id"].tolist()
    near = _nearest_training_tiles(queries, training, neighbours)
    pictures = collect_pictures(_tiles(tile_catalog, [*ids, *near["neighbour"]]))
    heat = _heat(tile_catalog, asked, served, patches)
    return [
        ExplainedTile(
            tile=TilePicture(
                picture=pictures[row["image_id"]],
                label=row["label"],
                predicted=row["pred_label"],
                probability=float(row["probability"]),
                image_id=row["image_id"],
            ),
            overlay=heat[row["image_id"]][0],
            largest_drop=heat[row["image_id"]][1],
            neighbours=_neighbours(near[near["image_id"] == row["image_id"]], pictures),
        )
        for row in asked.astype(object).where(asked.notna(), None).to_dict("records")
        if row["image_id"] in pictures and row["image_id"] in heat
    ]


def _heat(
    tile_catalog: DataFrame, asked: pd.DataFrame, served: ServedModel, patches: int
) -> dict[str, tuple[bytes, float]]:
    """Give the overlay and the largest drop of each image that can still be read."""
    explain = partial(
        explain_tiles,
        model=served,
        classes=dict(zip(asked["image_id"], asked["pred_label"], strict=True)),
        patches=patches,
        picture_px=PICTURE_PX,
    )
    tiles = _tiles(tile_catalog, asked["image_id"].tolist())
    # A tile is dozens of pictures to the network: spread them over the cores, one a task. By a hash
    # of their names one task got half of six, and as many got none.
    spread = tiles.repartition(len(asked))
    rows = spread.mapInPandas(explain, ddl(HEAT_COLUMNS)).toPandas().to_dict("records")
    return {row["image_id"]: (bytes(row["overlay"]), row["largest_drop"]) for row in rows}


def _nearest_training_tiles(
    queries: Mapping[str, Sequence[float]], training: DataFrame, count: int
) -> pd.DataFrame:
    """Find the nearest training tiles of each image but itself, the nearest first."""
    if not queries:
        return pd.DataFrame(columns=list(NEIGHBOUR_COLUMNS))
    search = partial(find_neighbours, queries=queries, count=count + 1)
    wanted = training.select("image_id", "label", "features")
    found = wanted.mapInPandas(search, ddl(NEIGHBOUR_COLUMNS)).toPandas()
    others = found[found["image_id"] != found["neighbour"]]
    ordered = others.sort_values(["similarity", "neighbour"], ascending=[False, True])
    return ordered.groupby("image_id").head(count)


def _tiles(tile_catalog: DataFrame, image_ids: list[str]) -> DataFrame:
    wanted = sorted(set(image_ids))
    return tile_catalog.filter(F.col("image_id").isin(wanted)).select(*SOURCE_COLUMNS)


def _neighbours(near: pd.DataFrame, pictures: dict[str, bytes]) -> list[Neighbour]:
    return [
        Neighbour(
            tile=TilePicture(
                picture=pictures[row["neighbour"]], label=row["label"], image_id=row["neighbour"]
            ),
            similarity=float(row["similarity"]),
        )
        for row in near.to_dict("records")
        if row["neighbour"] in pictures
    ]
