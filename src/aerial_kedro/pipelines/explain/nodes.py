"""Nodes that explain tiles of one's own choice."""

import difflib
import logging

import numpy as np
import pandas as pd
from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import ModelCard, TrainedModel
from aerial_kedro.models.serving.assembly import assemble_model
from aerial_kedro.models.serving.model import ServedModel
from aerial_kedro.parameters import CheckedModel, Names
from aerial_kedro.pipelines.explain.images import explain_images
from aerial_kedro.report.content import RunFacts
from aerial_kedro.report.pictures import ExplainedAnswer

LOGGER = logging.getLogger(__name__)

_COLUMNS = (
    "image_id", "tile_id", "href", "year", "lon", "lat",
    "label", "split", "pred_label", "decided_by",
)  # fmt: skip
# Each is some sixty-five pictures to the network, and a page with more is not read.
_MOST_IMAGES = 48
# Spark's probabilities and the served model's agree to the last digits.
_SAME = 1e-4
_WHERE = "07_model_output/tiles.parquet has the names of those with a place (image_id, tile_id)"


class ExplainSettings(CheckedModel):
    """Which tiles are explained, and how closely.

    Parameters
    ----------
    tiles
        Their `image_id` or `tile_id` (all years); ``A/B`` is read as two.
    patches
        Patches a side that are covered by turns.
    neighbours
        Nearest training tiles to show.
    """

    tiles: Names = ()
    patches: int = Field(gt=0, le=32)
    neighbours: int = Field(ge=0, le=24)


def choose_images(predictions: DataFrame, settings: ExplainSettings) -> pd.DataFrame:
    """Look the tiles up that are to be explained.

    Parameters
    ----------
    predictions
        `aerial_kedro.schemas.PREDICTION_COLUMNS`.
    settings
        Names the tiles.

    Returns
    -------
    pandas.DataFrame
        A row an image, in the order of the names and the years: what the predictions say of it,
        and the likeliest class of the model with its probability as ``model_label, probability``.

    Raises
    ------
    AerialError
        If none is named, one is not there, or there are too many.
    """
    names = list(dict.fromkeys(settings.tiles))
    if not names:
        raise AerialError(
            f"No tile is named. Give --params=explain.tiles=A/B; {_WHERE}, "
            "03_primary/tile_catalog of all."
        )
    wanted = F.col("image_id").isin(names) | F.col("tile_id").isin(names)
    found = predictions.filter(wanted).select(*_COLUMNS, "probabilities").toPandas()
    known = {*found["image_id"], *found["tile_id"]}
    missing = [name for name in names if name not in known]
    if missing:
        raise AerialError(
            f"There is no tile {', '.join(map(repr, missing))} among the predictions"
            f"{_nearest_name(predictions, missing[0])}. {_WHERE}; tiles in quarantine and tiles "
            "without enough pixels have no prediction."
        )
    if len(found) > _MOST_IMAGES:
        raise AerialError(
            f"explain.tiles names {len(found)} images, more than the {_MOST_IMAGES} that one page "
            "takes: give fewer."
        )
    place = {name: number for number, name in enumerate(names)}
    order = [
        min(place.get(image, len(names)), place.get(tile, len(names)))
        for image, tile in zip(found["image_id"], found["tile_id"], strict=True)
    ]
    return (
        found.assign(
            order=order,
            model_label=[max(each, key=each.get) for each in found["probabilities"]],
            probability=[max(each.values()) for each in found["probabilities"]],
        )
        .sort_values(["order", "year", "image_id"], ignore_index=True)
        .drop(columns="order")
    )


def explain_chosen(
    chosen: pd.DataFrame,
    tile_catalog: DataFrame,
    tile_features: DataFrame,
    labelled_features: DataFrame,
    model: TrainedModel,
    settings: ExplainSettings,
) -> tuple[list[ExplainedAnswer], str]:
    """Explain the tiles.

    Parameters
    ----------
    chosen
        Table of `choose_images`.
    tile_catalog, tile_features
        Tiles and features of the run that made the predictions.
    labelled_features
        With the training tiles.
    model
        The model that decided.
    settings
        How many patches and neighbours.

    Returns
    -------
    tuple
        An answer for each row, and the model's name.

    Raises
    ------
    AerialError
        If the predictions are of another model or of other tiles, or a tile cannot be read any
        more.
    """
    served = assemble_model(model)
    features = _find_features(chosen, tile_catalog, tile_features, model.card)
    _check_probabilities(chosen, features, model.card, served)
    explained = explain_images(
        chosen.drop(columns="pred_label").rename(columns={"model_label": "pred_label"}),
        dict(zip(features["image_id"], features["features"], strict=True)),
        tile_catalog,
        labelled_features.filter("split = 'train'"),
        served,
        settings.patches,
        settings.neighbours,
    )
    by_image = {each.tile.image_id: each for each in explained}
    unread = [name for name in chosen["image_id"] if name not in by_image]
    if unread:
        raise AerialError(
            f"{len(unread)} tile(s) cannot be read any more, such as {unread[0]!r}: bring their "
            "scenes or files back, or run the main job again."
        )
    rows = chosen.astype(object).where(chosen.notna(), None).to_dict("records")
    answers = [
        ExplainedAnswer(
            explained=by_image[row["image_id"]],
            probabilities={
                name: float(chance)
                for name, chance in sorted(row["probabilities"].items(), key=lambda pair: -pair[1])
            },
            mapped=row["pred_label"] if row["decided_by"] == "land_cover" else None,
            split=row["split"],
            year=row["year"],
            lon=row["lon"],
            lat=row["lat"],
        )
        for row in rows
    ]
    return answers, model.card.name


def draw_page(
    answers: list[ExplainedAnswer], model: str, run_facts: RunFacts, settings: ExplainSettings
) -> str:
    """Make the page."""
    from aerial_kedro.report.pages import render_explained  # noqa: PLC0415  (loads slowly)

    LOGGER.info("%d image(s) explained", len(answers))
    return render_explained(answers, model, run_facts.created, settings.patches)


def _find_features(
    chosen: pd.DataFrame, tile_catalog: DataFrame, tile_features: DataFrame, card: ModelCard
) -> pd.DataFrame:
    """Find what the model read of each image: ``image_id, features`` and the card's column.

    Raises
    ------
    AerialError
        If an image is no tile of the catalog, or has no such features.
    """
    ids = chosen["image_id"].tolist()
    places = tile_catalog.filter(F.col("image_id").isin(ids)).select(
        "image_id", "href", "source_version"
    )
    # An image of the same name may have been computed in another version of its file as well.
    known = chosen[["image_id", "href"]].merge(places.toPandas(), on=["image_id", "href"])
    columns = dict.fromkeys(["image_id", "source_version", "features", card.column])
    wanted = F.col("image_id").isin(ids) & (F.col("feature_key") == card.feature_key)
    rows = tile_features.filter(wanted).select(*columns).collect()
    read = pd.DataFrame([row.asDict() for row in rows], columns=list(columns))
    found = known.merge(read, on=["image_id", "source_version"])
    missing = sorted(set(ids) - set(found["image_id"]))
    if missing:
        raise _not_of_this_run(missing[0], card, "there is none with features of its kind")
    return found


def _check_probabilities(
    chosen: pd.DataFrame, features: pd.DataFrame, card: ModelCard, served: ServedModel
) -> None:
    """Refuse predictions that the model would not make of these features."""
    made = served.probabilities(np.stack(features[card.column].tolist()))
    of_image = dict(zip(features["image_id"], made, strict=True))
    for image, given in zip(chosen["image_id"], chosen["probabilities"], strict=True):
        if set(given) != set(card.classes) or not np.allclose(
            of_image[image], [given[name] for name in card.classes], atol=_SAME
        ):
            raise _not_of_this_run(image, card, "it would answer otherwise")


def _not_of_this_run(image: str, card: ModelCard, why: str) -> AerialError:
    return AerialError(
        f"The prediction of {image!r} is not the model {card.name!r}'s of the tile of that name "
        f"in 03_primary/tile_catalog: {why}. It may be of score_folder or score_scenes, whose "
        "tiles are not explained here, or of another model. Name that with model_name=NAME, or "
        "run the main job again."
    )


def _nearest_name(predictions: DataFrame, name: str) -> str:
    """Say which name comes near, of a sample that the driver can hold."""
    sample = predictions.select("image_id").limit(10_000).toPandas()["image_id"].tolist()
    near = difflib.get_close_matches(name, sample, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
