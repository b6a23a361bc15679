"""Run parameters: a typing error is found before anything runs, and told as the user typed it."""

from pathlib import Path
from typing import Any

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.framework.configuration import ProjectConfigLoader
from aerial_kedro.framework.run_parameters import RunParameters, check_run_parameters, choose_labels
from aerial_kedro.hooks import ProjectRunParameters
from aerial_kedro.settings import CONFIG_LOADER_ARGS

CONF = Path(__file__).parents[3] / "conf"


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    """The parameters as the project's own files declare them."""
    loader = ProjectConfigLoader(conf_source=str(CONF), env="base", **CONFIG_LOADER_ARGS)
    return loader.declared_parameters()


def check(given: dict[str, Any], declared: dict[str, Any]) -> RunParameters:
    return check_run_parameters(given, declared, ProjectRunParameters)


def refusal(declared: dict[str, Any], given: dict[str, Any]) -> str:
    with pytest.raises(AerialError) as error:
        check({**declared, **given}, declared)
    return str(error.value)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"input_mean": "0.43/0.411/0.296"}, (0.43, 0.411, 0.296)),
        ({"input_mean": 0}, (0.0, 0.0, 0.0)),
        ({"input_mean": [0.4, 0.5, 0.6]}, (0.4, 0.5, 0.6)),  # in a configuration file
        ({"input_std": "0.213/0.156/0.143"}, (0.213, 0.156, 0.143)),
        ({"input_size": 256}, 256),
        ({"pooling": "token"}, "token"),
        ({"backbone_onnx": "mine.onnx"}, "mine.onnx"),
    ],
)
def test_what_a_network_takes(
    given: dict[str, Any], found: object, declared: dict[str, Any]
) -> None:
    assert getattr(check({**declared, **given}, declared), next(iter(given))) == found


@pytest.mark.parametrize(
    "given",
    [
        {"input_mean": "0.43/0.411"},
        {"input_std": "0.2/0.2/0.2/0.2"},
        {"input_mean": 124},
        {"input_mean": "red"},
        {"input_std": 0},
        {"input_size": 256.5},
        {"input_size": 8},
        {"pooling": "max"},
    ],
)
def test_what_no_network_takes_is_refused(given: dict[str, Any], declared: dict[str, Any]) -> None:
    assert next(iter(given)) in refusal(declared, given)


SAMPLE = "data/01_raw/sample/land_cover"


@pytest.mark.parametrize(
    ("configured", "given", "found"),
    [
        ({}, {}, "none"),  # the sample's land cover was not asked for
        ({}, {"landcover_path": SAMPLE}, "land_cover"),
        ({"landcover_path": "nlcd.tif"}, {}, "land_cover"),  # in conf/local
        ({"landcover_path": None}, {}, "none"),
        ({}, {"labels_path": "mine.gpkg"}, "own"),
        ({}, {"labels_path": "mine.gpkg", "landcover_path": None}, "own"),
        ({}, {"labels_path": "mine.gpkg", "landcover_path": SAMPLE}, "both"),
        ({"landcover_path": "nlcd.tif"}, {"labels_path": "mine.gpkg"}, "both"),
    ],
)
def test_a_land_cover_counts_where_it_was_asked_for(
    configured: dict[str, Any], given: dict[str, Any], found: str
) -> None:
    parameters = {"grain": "cell", "labels_path": None, "landcover_path": SAMPLE}
    assert choose_labels({**parameters, **configured, **given}, given, SAMPLE) == found


def test_labels_of_cells_and_a_map_of_tiles_do_not_go_together() -> None:
    parameters = {"grain": "tile", "labels_path": "mine.gpkg", "landcover_path": SAMPLE}
    with pytest.raises(AerialError, match=r"grain=tile has none.*from_folders"):
        choose_labels(parameters, parameters, SAMPLE)


def test_labels_of_cells_and_folders_of_tiles_do_not_go_together() -> None:
    parameters = {"grain": "cell", "labels_path": "mine.gpkg", "folders_root": "tiles"}
    with pytest.raises(AerialError, match="Give one of them"):
        choose_labels(parameters, parameters, SAMPLE)


def test_the_projects_own_defaults_are_accepted(declared: dict[str, Any]) -> None:
    parameters = check(declared, declared)
    assert parameters.tile_size_m == 224
    assert parameters.backbone == "efficientnet_lite0"
    assert parameters.classifier == "both"


def test_every_run_parameter_is_declared(declared: dict[str, Any]) -> None:
    flat = {name for name, value in declared.items() if not isinstance(value, dict)}
    assert flat == set(ProjectRunParameters.model_fields)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("scene_root", "scenes_root"), ("sampel_fraction", "sample_fraction"), ("splits", "split")],
)
def test_unknown_names_suggest_the_right_one(
    declared: dict[str, Any], typed: str, meant: str
) -> None:
    message = refusal(declared, {typed: 1})
    assert f"there is no parameter '{typed}'; did you mean '{meant}'?" in message
    assert "--params=name=value" in message


def test_names_like_no_other_are_answered_with_all(declared: dict[str, Any]) -> None:
    message = refusal(declared, {"qqq": 1})
    assert "no parameter 'qqq'; there are: " in message
    assert "scenes_root" in message
    assert "land_cover" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_fraction", 0),
        ("sample_fraction", 2),
        ("sample_fraction", "half"),
        ("sample_fraction", None),
        ("seed", -1),
        ("seed", 1.5),
        ("seed", 1000.0),  # what YAML makes of 1e3
        ("seed", True),
        ("tile_size_m", 0),
        ("tile_size_m", -224),
        ("year", 1066),
        ("classifier", "svm"),
        ("grain", "pixel"),
        ("grain", None),
        ("model_name", "county/first"),
        ("model_name", "../first"),
        ("model_name", ""),
        ("model_name", "first model"),
        ("overwrite", "perhaps"),
        ("overwrite", "no"),
        ("overwrite", 1),
        ("max_nodata_fraction", 1.1),
        ("max_quarantine_fraction", -0.1),
        ("scenes_root", None),
        ("regularization", 0),
        ("regularization", -0.8),
        ("regularization", "half"),
        ("regularization", float("nan")),
        ("regularization", float("inf")),
        ("regularization", None),
        ("regularization", True),
        ("regularization", 1e-300),  # its inverse would be no number
    ],
)
def test_values_out_of_range_are_told_with_their_name(
    declared: dict[str, Any], name: str, value: object
) -> None:
    assert f"{name}={value!r}: " in refusal(declared, {name: value})


def test_another_grain_is_answered_with_the_two_there_are(declared: dict[str, Any]) -> None:
    assert "grain='pixel': give 'cell' or 'tile'" in refusal(declared, {"grain": "pixel"})
    for name in ("cell", "tile"):
        assert check({**declared, "grain": name}, declared).grain == name


def test_all_problems_are_told_at_once(declared: dict[str, Any]) -> None:
    message = refusal(
        declared,
        {
            "sample_fraction": 2,
            "model_name": "a/b",
            "classifier": "svm",
            "tile_size": 10,
            "seed": -1,
        },
    )
    for problem in (
        "sample_fraction=2: give a number less than or equal to 1",
        "model_name='a/b': use letters, digits, - and _ only",
        "classifier='svm': give 'both', 'logistic_regression' or 'random_forest'",
        "no parameter 'tile_size'; did you mean 'tile_size_m'?",
        "seed=-1: give a number greater than or equal to 0",
    ):
        assert problem in message


@pytest.mark.parametrize(
    ("name", "value"),
    [("sample_fraction", 1), ("year", 2018), ("model_name", "County_1-b"), ("seed", 0),
     ("folders_root", "/tiles"), ("score_root", "/tiles"),
     ("tile_size_m", 50), ("overwrite", True),
     ("digits_root", "/mnist"), ("regularization", 1), ("regularization", 0.5)],
)  # fmt: skip
def test_values_in_range_are_accepted(declared: dict[str, Any], name: str, value: object) -> None:
    parameters = check({**declared, name: value}, declared)
    assert getattr(parameters, name) == value


def test_nested_groups_are_left_to_the_nodes_that_take_them(declared: dict[str, Any]) -> None:
    given = {"split": {"test": 7, "unheard": 1}, "land_cover": {}}
    assert check({**declared, **given}, declared).seed == declared["seed"]


def test_an_unknown_group_is_refused(declared: dict[str, Any]) -> None:
    message = refusal(declared, {"splitt": {"test": 0.2}})
    assert "no parameter 'splitt'; did you mean 'split'?" in message


@pytest.mark.parametrize(
    "name", ["county", "models:/county/3", "models:/c/latest", "models:/c@best"]
)
def test_models_are_named_or_addressed(declared: dict[str, Any], name: str) -> None:
    assert check({**declared, "model_name": name}, declared).model_name == name


@pytest.mark.parametrize(
    "name", ["models:/county", "models:/a/b/1", "models:/a@", "../county", "a/b"]
)
def test_other_addresses_are_refused(declared: dict[str, Any], name: str) -> None:
    assert "models:/NAME/VERSION" in refusal(declared, {"model_name": name})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("scenes_root", "s3://bucket/naip", r"scenes_root=s3://bucket/naip is in storage"),
        ("weights_path", "gs://bucket/w.pth", r"weights_path=gs://.*not read"),
        ("labels_path", "https://host/l.csv", "labels_path=https://host/l.csv is on the web"),
        ("folders_root", "/For\udceat", r"folders_root=/For\\xeat is not UTF-8"),
    ],
)
def test_roots_that_are_not_read_are_refused_before_anything_runs(
    declared: dict[str, Any], name: str, value: str, reason: str
) -> None:
    with pytest.raises(AerialError, match=reason):
        check({**declared, name: value}, declared)


def test_land_cover_on_the_web_is_left_to_its_dataset(declared: dict[str, Any]) -> None:
    """Which says how it is cut out."""
    check({**declared, "landcover_path": "https://host/nlcd.tif"}, declared)
