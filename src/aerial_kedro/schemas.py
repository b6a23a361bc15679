"""Columns of the tables that pipelines hand to one another."""

from aerial_kedro.features.featurize import FEATURE_COLUMNS, QUARANTINE_COLUMNS
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, SPLIT_COLUMNS, TILE_COLUMNS

_CATALOG_COLUMNS = {**TILE_COLUMNS, **LABEL_COLUMNS, **SPLIT_COLUMNS}

PREDICTION_COLUMNS: dict[str, str] = {
    **{name: _CATALOG_COLUMNS[name] for name in (
        "image_id", "tile_id", "href", "kind", "epsg", "xmin", "ymin", "xmax", "ymax",
        "lon", "lat", "year", "label", "purity", "block_id", "split",
    )},
    "pred_label": "string",
    "probability": "double",
    "probabilities": "map<string,double>",
    "decided_by": "string",
    # Null where the model does not know, or did not decide.
    "expected_accuracy": "double",
    "outside": "boolean",
}  # fmt: skip

LABELLED_FEATURE_COLUMNS: dict[str, str] = {
    **{name: FEATURE_COLUMNS[name] for name in ("image_id", "features", "statistics")},
    **{name: _CATALOG_COLUMNS[name] for name in ("label", "split", "block_id")},
}

CELL_SAMPLE_COLUMNS: dict[str, str] = {
    "image_id": "string",  # the image's, and the number of the cell in it
    "label": "string",
    "purity": "double",
    "split": "string",
    "block_id": "string",
    # Bytes of float32 numbers (`models.numbers`).
    "features": "binary",
    "statistics": "binary",
    "weight": "double",
    "teaches": "boolean",
    "evaluated": "boolean",
}

CELL_PREDICTION_COLUMNS: dict[str, str] = {
    **{name: _CATALOG_COLUMNS[name] for name in (
        "image_id", "tile_id", "year", "epsg", "xmin", "ymin", "xmax", "ymax", "lon", "lat",
        "block_id", "label", "purity", "cell_split", "cell_labels", "cell_purity",
    )},
    # 49 bytes: 1 + position in the model's classes, and the probability of that in percent.
    "cell_classes": "binary",
    "cell_confidence": "binary",
    # (7, 7, classes) bytes: 255 times the probability.
    "cell_probabilities": "binary",
    # 49 bytes: expected accuracy in percent (1-100), and 1 where the cell is outside of where the
    # model holds; both, and their means over the tile, are null where it does not know.
    "cell_expected": "binary",
    "cell_outside": "binary",
    "class_by_cells": "string",
    "probability_by_cells": "double",
    "expected_accuracy": "double",
    "outside_share": "double",
    "shares": "map<string,double>",
}  # fmt: skip

# Table name in the catalog to its columns and the pipeline that makes it.
TABLES: dict[str, tuple[dict[str, str], str]] = {
    "tile_catalog": (_CATALOG_COLUMNS, "data_ingestion"),
    "score_catalog": (_CATALOG_COLUMNS, "score_folder"),
    "laid_tiles": (TILE_COLUMNS, "data_ingestion"),
    "labelled_tiles": (
        {**TILE_COLUMNS, **LABEL_COLUMNS, "block_id": SPLIT_COLUMNS["block_id"]},
        "data_ingestion",
    ),
    "cell_sample": (CELL_SAMPLE_COLUMNS, "training"),
    "cell_predictions": (CELL_PREDICTION_COLUMNS, "scoring"),
    "labelled_features": (LABELLED_FEATURE_COLUMNS, "training"),
    "tile_features": (FEATURE_COLUMNS, "featurization"),
    "quarantine": (QUARANTINE_COLUMNS, "featurization"),
    "predictions": (PREDICTION_COLUMNS, "scoring"),
    "test_predictions": (PREDICTION_COLUMNS, "scoring"),
}
