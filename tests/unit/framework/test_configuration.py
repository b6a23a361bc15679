"""The configuration loader: run parameters in the catalog, missing environment variables."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from kedro.config import OmegaConfigLoader
from omegaconf.errors import InterpolationResolutionError

from aerial_kedro.framework.configuration import ProjectConfigLoader, environment_variable
from aerial_kedro.settings import CONFIG_LOADER_ARGS

Load = Callable[..., ProjectConfigLoader]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write files into a configuration folder and open it as the project does."""

    def write_and_load(
        files: dict[str, str], env: str | None = None, params: dict[str, Any] | None = None
    ) -> ProjectConfigLoader:
        for name in ("base", "local"):
            (tmp_path / name).mkdir(exist_ok=True)
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return ProjectConfigLoader(
            conf_source=str(tmp_path), env=env, runtime_params=params, **CONFIG_LOADER_ARGS
        )

    return write_and_load


BASE = {
    "base/parameters.yml": "scenes_root: data/scenes\nyear: null\nseed: 1\nsplit: {test: 0.2}\n",
    "base/catalog.yml": "scenes: {type: x, path: '${run:scenes_root}', year: '${run:year}'}\n",
}
LOCAL = {"local/parameters.yml": "scenes_root: /mine/scenes\n"}


class TestRunParameters:
    @pytest.mark.parametrize(
        ("files", "params", "expected"),
        [
            (BASE, None, str(Path("data/scenes").absolute())),
            (BASE | LOCAL, None, "/mine/scenes"),
            (BASE, {"scenes_root": "/given"}, "/given"),
            (BASE | LOCAL, {"scenes_root": "/given"}, "/given"),
            (BASE | LOCAL, {"seed": 3}, "/mine/scenes"),
        ],
    )
    def test_in_the_catalog_are_those_of_the_run(
        self, load: Load, files: dict[str, str], params: dict[str, Any] | None, expected: str
    ) -> None:
        assert load(files, params=params)["catalog"]["scenes"]["path"] == expected

    def test_paths_are_taken_from_the_working_folder_and_from_home(
        self, load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """In parameters and in the catalog alike, also of a folder called by a number."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        for given, expected in (
            ("../x", tmp_path.parent / "x"),
            ("~/naip", tmp_path / "home/naip"),
            (2018, tmp_path / "2018"),
        ):
            loader = load(BASE, params={"scenes_root": given})
            assert loader["parameters"]["scenes_root"] == str(expected)
            assert loader["catalog"]["scenes"]["path"] == str(expected)

    def test_keep_their_type_in_the_catalog(self, load: Load) -> None:
        assert load(BASE)["catalog"]["scenes"]["year"] is None
        assert load(BASE, params={"year": 2018})["catalog"]["scenes"]["year"] == 2018

    def test_are_read_once_for_all_entries_of_the_catalog(
        self, load: Load, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[str] = []
        read_key = OmegaConfigLoader.__getitem__

        def note(loader: OmegaConfigLoader, key: str) -> Any:
            read.append(key)
            return read_key(loader, key)

        monkeypatch.setattr(OmegaConfigLoader, "__getitem__", note)
        entry = "{type: x, path: '${run:scenes_root}', year: '${run:year}'}"
        load(BASE | {"base/catalog.yml": f"one: {entry}\ntwo: {entry}\n"})["catalog"]
        assert read.count("parameters") == 1

    def test_that_change_are_read_again_with_the_catalog(self, load: Load) -> None:
        loader = load(BASE, params={"year": 2018})
        assert loader["catalog"]["scenes"]["year"] == 2018
        loader.runtime_params = {"year": 2020}
        assert loader["catalog"]["scenes"]["year"] == 2020

    def test_of_an_environment_are_merged_one_by_one(self, load: Load) -> None:
        parameters = load(BASE | LOCAL)["parameters"]
        assert parameters["seed"] == 1
        assert parameters["scenes_root"] == "/mine/scenes"

    def test_declared_are_those_of_the_files_alone(self, load: Load) -> None:
        loader = load(BASE | LOCAL, params={"scenes_root": "/given", "sed": 3})
        declared = loader.declared_parameters()
        assert declared["scenes_root"] == "/mine/scenes"
        assert "sed" not in declared
        assert loader["parameters"]["sed"] == 3


TABLE = """
land_cover:
  codes: {Forest: [41, 42], Water: [11]}
  excluded: [Water]
report:
  gallery_tiles: 4
  groups: {Green: [Forest]}
"""


class TestAClassTableOfOnesOwn:
    @pytest.mark.parametrize(
        ("own", "land_cover", "groups"),
        [
            (
                "land_cover: {codes: {Trees: [1], Grass: [2]}}",
                {"codes": {"Trees": [1], "Grass": [2]}},
                {},
            ),
            (
                "land_cover: {codes: {Trees: [1], Wet: [2]}, excluded: [Wet]}\n"
                "report: {groups: {Dry: [Trees]}}",
                {"codes": {"Trees": [1], "Wet": [2]}, "excluded": ["Wet"]},
                {"Dry": ["Trees"]},
            ),
        ],
    )
    def test_stands_for_bases_and_its_groups(
        self, load: Load, own: str, land_cover: dict[str, Any], groups: dict[str, Any]
    ) -> None:
        files = {"base/parameters.yml": TABLE, "local/parameters.yml": own}
        parameters = load(files)["parameters"]
        assert parameters["land_cover"] == land_cover
        assert parameters["report"] == {"gallery_tiles": 4, "groups": groups}

    def test_is_one_with_codes_alone(self, load: Load) -> None:
        files = {"base/parameters.yml": TABLE, "local/parameters.yml": "land_cover: {excluded: []}"}
        parameters = load(files)["parameters"]
        assert parameters["land_cover"] == {
            "codes": {"Forest": [41, 42], "Water": [11]},
            "excluded": [],
        }
        assert parameters["report"]["groups"] == {"Green": ["Forest"]}

    def test_takes_values_of_the_command_as_well(self, load: Load) -> None:
        files = {
            "base/parameters.yml": TABLE,
            "local/parameters.yml": "land_cover: {codes: {Trees: [1], Grass: [2]}}",
        }
        loader = load(files, params={"land_cover": {"background": [0]}})
        assert loader["parameters"]["land_cover"] == {
            "codes": {"Trees": [1], "Grass": [2]},
            "background": [0],
        }


class TestRoots:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("data", "{project}/data"),
            ("/elsewhere/data", "/elsewhere/data"),
            ("abfs://container", "abfs://container"),
        ],
    )
    def test_that_are_relative_are_the_projects(
        self,
        load: Load,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        given: str,
        expected: str,
    ) -> None:
        monkeypatch.chdir("/")
        files = BASE | {
            "base/globals.yml": f"root: {given}\nspark_root: {given}\n",
            "base/catalog.yml": "scenes: {type: x, spark_path: '${globals:spark_root}/x'}\n",
        }
        expected = expected.format(project=tmp_path.parent)
        loader = load(files)
        assert loader["globals"] == {"root": expected, "spark_root": expected}
        assert loader["catalog"]["scenes"]["spark_path"] == f"{expected}/x"


@pytest.fixture
def load_archive(load: Load, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Open the same files as the archive that `kedro package` makes of them."""

    def write_and_load(files: dict[str, str], env: str | None = None) -> ProjectConfigLoader:
        load(files)
        archive = tmp_path_factory.mktemp("dist") / "conf.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(tmp_path, "conf")
        return ProjectConfigLoader(conf_source=str(archive), env=env, **CONFIG_LOADER_ARGS)

    return write_and_load


class TestArchive:
    def test_is_read_as_the_folder_is(self, load_archive: Load) -> None:
        assert load_archive(BASE | LOCAL)["catalog"]["scenes"]["path"] == "/mine/scenes"

    def test_has_relative_roots_in_the_working_folder(self, load_archive: Load) -> None:
        files = BASE | {"base/globals.yml": "root: data\n"}
        assert load_archive(files)["globals"]["root"] == str(Path.cwd() / "data")

    def test_names_variables_that_are_missing(self, load_archive: Load) -> None:
        files = BASE | {"cluster/globals.yml": "root: ${env:TEST_ROOT}\n"}
        with pytest.raises(click.ClickException, match=r"not set: TEST_ROOT\. "):
            load_archive(files, env="cluster")["globals"]


CLUSTER = BASE | {
    "cluster/globals.yml": (
        "root: ${env:TEST_ROOT}\n"
        "spark_root: '${env: TEST_SPARK_ROOT }'\n"
        "scratch: ${env:TEST_SCRATCH,/tmp}\n"
        "# once more: ${env:TEST_COMMENT}\n"
    ),
    "cluster/credentials.yml": "blob: {account_key: '${env:TEST_KEY}'}\n",
}


class TestEnvironmentVariables:
    @pytest.fixture(autouse=True)
    def _unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("ROOT", "SPARK_ROOT", "SCRATCH", "KEY", "COMMENT"):
            monkeypatch.delenv(f"TEST_{name}", raising=False)

    def test_that_are_missing_are_all_named(self, load: Load) -> None:
        with pytest.raises(
            click.ClickException, match="not set: TEST_KEY, TEST_ROOT, TEST_SPARK_ROOT"
        ) as refusal:
            load(CLUSTER, env="cluster")["globals"]
        assert "environment 'cluster'" in refusal.value.message
        assert "conf/cluster/README.md" in refusal.value.message
        assert "TEST_SCRATCH" not in refusal.value.message
        assert "TEST_COMMENT" not in refusal.value.message

    def test_that_are_empty_are_missing(self, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEST_ROOT", "abfs://here")
        monkeypatch.setenv("TEST_SPARK_ROOT", "abfs://here")
        monkeypatch.setenv("TEST_KEY", "")
        loader = load(CLUSTER, env="cluster")
        assert loader["globals"]["root"] == "abfs://here"
        with pytest.raises(click.ClickException, match=r"not set: TEST_KEY\. "):
            loader["credentials"]

    def test_have_defaults(self, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
        files = BASE | {"base/globals.yml": "scratch: ${env:TEST_SCRATCH,/tmp}\n"}
        assert load(files)["globals"]["scratch"] == "/tmp"
        monkeypatch.setenv("TEST_SCRATCH", "/scratch")
        assert load(files)["globals"]["scratch"] == "/scratch"
        assert environment_variable("TEST_ROOT", None) is None

    def test_are_not_blamed_for_other_mistakes(self, load: Load) -> None:
        files = BASE | {"base/catalog.yml": "scenes: {type: x, path: '${run:scene_root}'}\n"}
        with pytest.raises(InterpolationResolutionError, match="scene_root"):
            load(files)["catalog"]


class TestRootsAsTyped:
    @pytest.mark.parametrize(
        ("root", "expected"),
        [("data", "{}/data"), ("../data", "{}/../data"), ("~/d", "/home/me/d")],
    )
    def test_are_the_projects_or_of_home(
        self,
        load: Load,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        root: str,
        expected: str,
    ) -> None:
        monkeypatch.setenv("HOME", "/home/me")
        loader = load({"base/globals.yml": f"root: {root}\nspark_root: {root}\n"})
        wanted = os.path.normpath(expected.format(tmp_path.parent))
        assert loader["globals"] == {"root": wanted, "spark_root": wanted}

    def test_in_storage_that_is_not_read_are_refused(self, load: Load) -> None:
        with pytest.raises(click.ClickException, match=r"AERIAL_KEDRO_DATA.*s3://.*not read"):
            load({"base/globals.yml": "root: s3://bucket/data\n"})["globals"]


@pytest.mark.parametrize("name", ["a [1]", "a*?", "{a} %20", "a\\b#'&;$HOME"])
def test_the_projects_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    """What its name would match as a pattern lies beside it, with other values."""
    for folder, seed in ((name, 1), ("a 1", 2), ("ab", 3)):
        conf = tmp_path / folder / "conf"
        for each in ("base", "local"):
            (conf / each).mkdir(parents=True)
        (conf / "base" / "parameters.yml").write_text(f"seed: {seed}\n")
        (conf / "base" / "globals.yml").write_text("root: data\nspark_root: data\n")
    loader = ProjectConfigLoader(conf_source=str(tmp_path / name / "conf"), **CONFIG_LOADER_ARGS)
    assert loader["parameters"] == {"seed": 1}
    assert loader["globals"]["root"] == str(tmp_path / name / "data")
