"""Columns of the tables that pipelines hand to one another."""

from __future__ import annotations

from aerial_kedro.features.featurize import FEATURE_COLUMNS, QUARANTINE_COLUMNS
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, SPLIT_COLUMNS, TILE_COLUMNS

PREDICTION_COLUMNS: dict[str, str] = {
    **{name: TILE_COLUMNS[name] for name in (
        "image_id", "tile_id", "href", "kind", "epsg", "xmin", "ymin", "xmax", "ymax",
        "lon", "lat", "year",
    )},
    "label": "string",
    "purity": "double",
    "block_id": "string",
    "split": "string",
    "pred_label": "string",
    "probability": "double",
    "probabilities": "map<string,double>",
    "decided_by": "string",
}  # fmt: skip

LABELLED_FEATURE_COLUMNS: dict[str, str] = {
    **{name: FEATURE_COLUMNS[name] for name in ("image_id", "features", "statistics")},
    "label": "string",
    "split": "string",
    "block_id": "string",
}

# Table name in the catalog to its columns and the pipeline that makes it.
TABLES: dict[str, tuple[dict[str, str], str]] = {
    "tile_catalog": ({**TILE_COLUMNS, **LABEL_COLUMNS, **SPLIT_COLUMNS}, "data_ingestion"),
    "score_catalog": ({**TILE_COLUMNS, **LABEL_COLUMNS, **SPLIT_COLUMNS}, "score_folder"),
    "labelled_tiles": (
        {**TILE_COLUMNS, **LABEL_COLUMNS, "block_id": "string"},
        "data_ingestion",
    ),
    "labelled_features": (LABELLED_FEATURE_COLUMNS, "training"),
    "tile_features": (FEATURE_COLUMNS, "featurization"),
    "quarantine": (QUARANTINE_COLUMNS, "featurization"),
    "predictions": (PREDICTION_COLUMNS, "scoring"),
    "test_predictions": (PREDICTION_COLUMNS, "scoring"),
}
