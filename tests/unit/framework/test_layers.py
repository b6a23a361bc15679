"""The layer in which kedro-viz shows an entry is its folder's, unless the entry says otherwise."""

from pathlib import Path
from typing import Any

import pytest

from aerial_kedro.framework.configuration import ProjectConfigLoader, with_layers
from aerial_kedro.settings import CONFIG_LOADER_ARGS

CONF = Path(__file__).parents[3] / "conf"
LAYERS = {
    "raw", "intermediate", "primary", "feature", "model_input", "models", "model_output",
    "reporting",
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    return ProjectConfigLoader(conf_source=str(CONF), env="base", **CONFIG_LOADER_ARGS)["catalog"]


def test_every_entry_has_a_layer(catalog: dict[str, Any]) -> None:
    found = {
        name: entry["metadata"]["kedro-viz"]["layer"]
        for name, entry in catalog.items()
        if entry["type"] != "MemoryDataset" or "metadata" in entry
    }
    assert set(found.values()) <= LAYERS
    assert found["tile_catalog"] == "primary"
    assert found["report"] == "reporting"


def test_what_an_entry_says_itself_stays(catalog: dict[str, Any]) -> None:
    """What the features are computed by lies with the models, and is drawn before the features."""
    assert "/06_models/" in catalog["feature_source"]["path"]
    assert catalog["feature_source"]["metadata"]["kedro-viz"]["layer"] == "primary"


@pytest.mark.parametrize("place", ["data/elsewhere/a.csv", "data/04_features.csv", None])
def test_a_place_in_no_layer_has_none(place: str | None) -> None:
    entry = {"type": "pandas.CSVDataset", "filepath": place}
    assert with_layers({"table": entry}) == {"table": entry}
