"""The model store's names; models themselves are Spark's."""

from pathlib import Path

import pytest
import yaml

from aerial_kedro.datasets.models import ModelStoreDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.registration import Registration, RegistrySettings
from tests.conftest import PROJECT
from tests.models import make_card, make_source
from tests.unit.datasets.refusals import refused


def store(folder: Path, name: str | None = None, overwrite: bool = False) -> ModelStoreDataset:
    return ModelStoreDataset(
        path=str(folder), spark_path=str(folder), model_name=name, overwrite=overwrite
    )


def pretend(folder: Path, *names: str) -> None:
    """Leave what tells the store that models of these names are there."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "model.json").write_text("{}")
        (folder / "latest.json").write_text(f'{{"model_name": "{name}"}}')


def test_a_name_that_is_taken_is_refused_before_anything_runs(tmp_path: Path) -> None:
    pretend(tmp_path, "county")
    with pytest.raises(AerialError, match=r"'county' exists in .*overwrite=true"):
        store(tmp_path, "county").check_name()


def test_free_names_new_names_and_names_to_overwrite_are_accepted(tmp_path: Path) -> None:
    pretend(tmp_path, "county")
    store(tmp_path, "state").check_name()
    store(tmp_path).check_name()
    store(tmp_path, "county", overwrite=True).check_name()


def test_half_a_model_does_not_take_the_name(tmp_path: Path) -> None:
    (tmp_path / "county" / "stages").mkdir(parents=True)
    store(tmp_path, "county").check_name()
    assert not store(tmp_path, "county").exists()


def test_an_empty_store_says_how_to_train(tmp_path: Path) -> None:
    assert not store(tmp_path).exists()
    with refused(r"no trained model in .* yet\. Train one"):
        store(tmp_path).load()


def cells(folder: Path, name: str | None = None) -> ModelStoreDataset:
    """The store of classifiers of cells, with the remedy that the project's catalog gives it."""
    entries = (PROJECT / "conf/base/cells/catalog.yml").read_text(encoding="utf-8")
    remedy = yaml.safe_load(entries)["cell_model"]["remedy"]
    return ModelStoreDataset(
        path=str(folder), spark_path=str(folder), model_name=name, remedy=remedy
    )


@pytest.mark.parametrize("name", [None, "county"])
def test_a_model_of_tiles_asked_for_cells_is_answered_with_the_grain(
    tmp_path: Path, name: str | None
) -> None:
    pretend(tmp_path, "county")  # of tiles; those of cells lie in a folder below
    with refused(r"no .*model.*classifiers of cells.*`kedro run`.*--params=grain=tile"):
        cells(tmp_path / "cells", name).load()


def test_a_new_model_takes_the_name_on_its_card_where_it_is_free(tmp_path: Path) -> None:
    pretend(tmp_path, "taken")
    assert store(tmp_path, "given").name_new(make_card(name="county")) == "given"
    assert store(tmp_path).name_new(make_card(name="county")) == "county"
    for name in ("taken", ""):
        new = store(tmp_path).name_new(make_card(name=name))
        assert new.startswith("lite-random_forest-20")
    tagged = make_card(name="").model_copy(update={"backbone": "timm/vit_s.lvd1689m"})
    assert store(tmp_path).name_new(tagged).startswith("timm-vit_s-lvd1689m-random_forest-20")


def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path) -> None:
    pretend(tmp_path, "county", "another")
    with refused(r"no model called 'state'.*There are: another, county\."):
        store(tmp_path, "state").load()
    assert store(tmp_path).exists()
    assert store(tmp_path, "county").exists()


def registered(folder: Path) -> ModelStoreDataset:
    registry = {"name": "county", "alias": "best", "promote": "better"}
    return ModelStoreDataset(path=str(folder), spark_path=str(folder), registry=registry)


def test_an_entry_of_the_registry_stands_for_the_version_that_has_the_alias(tmp_path: Path) -> None:
    with pytest.raises(AerialError, match=r"models:/county@best is a model of the registry"):
        registered(tmp_path).check_name()


def test_without_a_run_there_is_nothing_to_add_a_version_to(tmp_path: Path) -> None:
    source = make_source()
    settings = RegistrySettings(name="county", alias="best", promote="better")
    model = TrainedModel((), make_card(source), source)
    registered(tmp_path).save(Registration(model, settings))
    assert list(tmp_path.iterdir()) == []
