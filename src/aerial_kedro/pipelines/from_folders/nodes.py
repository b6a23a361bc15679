"""Nodes that make a tile catalog from class folders."""

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.pipelines.data_ingestion.nodes import check_splits
from aerial_kedro.splits.blocks import SplitCheck, split_by_place, stratified_split
from aerial_kedro.splits.rules import SPLITS, SplitRules
from aerial_kedro.tiles.folders import TileTree, rows_of_files


def catalog_folders(
    tree: TileTree, rules: SplitRules, sample_fraction: float, seed: int, year: int | None
) -> pd.DataFrame:
    """Make one row a tile image, with its place where `tile_summaries.csv` holds it.

    Parameters
    ----------
    tree
        The files, with their class, and their split where the folder is divided.
    rules
        Shares of the splits that are made here: all three, or validation out of ``train/``.
    sample_fraction
        Share of each class and split to keep (0–1], at least three tiles.
    seed
        Seed of their selection and division.
    year
        Year of the images, if it is known.

    Returns
    -------
    pandas.DataFrame
        Columns of `rows_of_files`; and ``block_id`` where every tile has a place and the folder is
        not divided, so that the split is by spatial block.
    """
    frame = _sample(rows_of_files(tree, year), sample_fraction, seed)
    if frame["split"].isna().all():
        if frame["epsg"].notna().all():
            return split_by_place(frame, rules, seed)
        labels = frame.set_index("image_id")["label"]
        frame["split"] = stratified_split(labels, rules, seed).to_numpy()
    elif not (frame["split"] == "validation").any():
        _carve_validation(frame, rules, seed)
    return frame


def _sample(frame: pd.DataFrame, sample_fraction: float, seed: int) -> pd.DataFrame:
    if sample_fraction >= 1:
        return frame
    rng = np.random.default_rng(seed)
    kept: list[int] = []
    for _, rows in frame.groupby(["label", frame["split"].fillna("")], sort=True):
        # A class needs a tile for each split, however small the sample.
        count = max(len(SPLITS), round(sample_fraction * len(rows)))
        kept.extend(rng.permutation(rows.index.to_numpy())[:count])
    return frame.loc[sorted(kept)].reset_index(drop=True)


def _carve_validation(frame: pd.DataFrame, rules: SplitRules, seed: int) -> None:
    """Take the validation tiles out of the training folder; the test folder stays whole."""
    training = frame.index[frame["split"] == "train"]
    labels = pd.Series(frame.loc[training, "label"].to_numpy(), index=training)
    divided = stratified_split(labels, rules, seed)
    frame.loc[divided.index[divided == "validation"], "split"] = "validation"


def describe_split(tile_catalog: DataFrame, rules: SplitRules) -> SplitCheck:
    """Check a split by place as the main job does; describe any other as not spatial."""
    if not tile_catalog.filter("block_id is not null").isEmpty():
        return check_splits(tile_catalog, rules)
    count = tile_catalog.count()
    how = "stratified by class at random or by their folders"
    if tile_catalog.filter("epsg is null").isEmpty():
        why = "since their folders say so: neighbours may be on both sides"
    else:
        why = "since the tiles have no coordinates: neighbours may be on both sides"
    return SplitCheck(is_spatial=False, description=f"{count:,} tiles, {how}; NOT spatial, {why}")
