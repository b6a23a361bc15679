"""Paths as people type them, in parameters, roots and on the command line."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from kedro.framework.cli.utils import find_run_command

from aerial_kedro.cli import split_params
from aerial_kedro.framework.paths import expand_path, path_parameters
from aerial_kedro.framework.run_parameters import RunParameters


def test_every_path_of_the_run_is_known_as_one() -> None:
    """A new parameter that names a file ends as those before it do."""
    given = dict.fromkeys(RunParameters.model_fields, "x")
    assert set(path_parameters(given)) >= {
        "scenes_root", "landcover_path", "labels_path", "folders_root", "reference_root",
        "reference_labels", "score_root", "regions_path", "weights_path",
    }  # fmt: skip
    assert not set(path_parameters(given)) & {"backbone", "model_name", "year", "grain", "engine"}


def test_what_is_not_given_is_no_path() -> None:
    assert path_parameters({"scenes_root": None, "labels_path": "", "folders_root": 2018}) == {
        "folders_root": "2018"
    }


class TestExpansion:
    def test_starts_where_the_command_is_given_or_at_home(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "project").mkdir()
        monkeypatch.chdir(tmp_path / "project")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert expand_path("../scenes") == str(tmp_path / "scenes")
        assert expand_path("~/naip") == str(tmp_path / "home/naip")
        assert expand_path("naip/a.tif") == str(tmp_path / "project/naip/a.tif")

    def test_climbs_as_the_disk_does(self, tmp_path: Path) -> None:
        """From where a link leads, not from where it lies; and links stay without climbing."""
        (tmp_path / "far/away").mkdir(parents=True)
        (tmp_path / "near").symlink_to("far/away")
        assert expand_path(f"{tmp_path}/near/../x") == str(tmp_path / "far/x")
        assert expand_path(f"{tmp_path}/near/x") == str(tmp_path / "near/x")

    @pytest.mark.parametrize("address", ["abfss://naip@account/a/../b", "https://h/~x"])
    def test_leaves_addresses(self, address: str) -> None:
        assert expand_path(address) == address


def split(text: str) -> dict[str, object]:
    found = split_params(click.Context(click.Command("run")), click.Option(["--params"]), text)
    assert isinstance(found, dict)
    return found


class TestCommandLine:
    @pytest.mark.parametrize(
        "path",
        ["/a,b/c", "/a, b", "/a #1/b", "/a: b", "/a=b", "/[1]", "[1", "007", "2018", "~/naip",
         "../x", "/a'b\"c", "/a,b,"],
    )  # fmt: skip
    def test_a_path_is_what_was_typed(self, path: str) -> None:
        for name in ("scenes_root", "weights_path", "reference_labels", "digits_root"):
            assert split(f"seed=3,{name}={path},split.test=0.3") == {
                "seed": 3,
                name: path,
                "split": {"test": 0.3},
            }

    @pytest.mark.parametrize("end", [",", ", ", ",,"])
    def test_a_comma_at_the_end_is_no_piece_of_a_path(self, end: str) -> None:
        assert split(f"year=2018,scenes_root=/a,b{end}") == {"year": 2018, "scenes_root": "/a,b"}

    @pytest.mark.parametrize("nothing", ["null", "Null", "NULL", "~"])
    def test_no_path_is_what_yaml_calls_nothing(self, nothing: str) -> None:
        assert split(f"landcover_path={nothing}") == {"landcover_path": None}

    def test_other_values_are_read_as_kedro_reads_them(self) -> None:
        assert split("year=2018,landcover_path=null,model_name=a, seed=1") == {
            "year": 2018,
            "landcover_path": None,
            "model_name": "a",
            "seed": 1,
        }
        assert split("") == {}

    def test_a_part_without_a_name_says_how_values_are_divided(self) -> None:
        with pytest.raises(click.UsageError, match=r"part '34' has no name.*W/S/E/N.*conf/local"):
            split("acquisition.bbox=-117,34,-116,35")

    def test_is_the_command_that_kedro_finds(self) -> None:
        command = find_run_command("aerial_kedro")
        result = CliRunner().invoke(command, ["--params=5"])
        assert result.exit_code == 2
        assert "--params is divided at commas" in result.output
        shown = CliRunner().invoke(command, ["--help"]).output
        assert "--only-missing-outputs" in shown


def test_a_name_that_is_no_utf8_reaches_the_check() -> None:
    name = os.fsdecode(b"/For\xeat")
    assert split(f"scenes_root={name}") == {"scenes_root": name}
