"""The cluster's configuration: what its machines write, what it names, and what the page says."""

import base64
import os
import re
import subprocess
from pathlib import Path

import pytest

from aerial_kedro.cluster.blob_storage import read_credential
from aerial_kedro.framework.configuration import ProjectConfigLoader
from aerial_kedro.settings import CONFIG_LOADER_ARGS
from tests.unit.test_infra import HEADER, NODE, PARAMETERS, PROJECT, TEMPLATE, VARIABLES, texts


def node(command: str, folder: Path) -> None:
    """Call a function of node.sh as the machine would, with its header's variables."""
    subprocess.run(
        ["bash", "-c", f"source {NODE}; {command}"],
        env={"PATH": os.environ["PATH"], **HEADER},
        cwd=folder,
        check=True,
        timeout=30,
    )


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables that the driver's machine gets."""
    node("write_environment environment", tmp_path)
    lines = (tmp_path / "environment").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines)
    for name in [each for each in os.environ if each.startswith(("AERIAL_", "AZURE_"))]:
        monkeypatch.delenv(name)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def loader(environment: dict[str, str]) -> ProjectConfigLoader:
    assert environment
    return ProjectConfigLoader(
        conf_source=str(PROJECT / "conf"), env="cluster", **CONFIG_LOADER_ARGS
    )


class TestConfiguration:
    def test_names_no_container_that_the_template_lacks(self, loader: ProjectConfigLoader) -> None:
        everything = [
            loader[part] for part in ("catalog", "globals", "parameters", "mlflow", "spark")
        ]
        named = [text for part in everything for _, text in texts(part)]
        named.append(NODE.read_text(encoding="utf-8"))
        named.append((PROJECT / "conf/cluster/README.md").read_text(encoding="utf-8"))
        containers = set(
            re.findall(r"(?:abfss?|wasbs?)://([a-z0-9-]+)@(?!storageemulator)", str(named))
        )
        assert containers == set(VARIABLES["containers"])
        catalog = str(loader["catalog"])
        assert catalog.count("abfss://naip@someaccount.dfs.core.windows.net/county/") > 30
        assert "data/0" not in catalog

    def test_is_complete_and_holds_no_secret(
        self, loader: ProjectConfigLoader, environment: dict[str, str]
    ) -> None:
        assert loader["spark"]["spark.master"] == "spark://10.17.0.4:7077"
        assert loader["spark"]["spark.driver.host"] == VARIABLES["driverAddress"]
        assert HEADER["SPARK_SECRET"] not in str(environment)
        credential = read_credential(loader["credentials"]["storage"])
        assert credential.environment().keys() == {
            "AZURE_STORAGE_ACCOUNT_NAME",
            "AZURE_STORAGE_ACCOUNT",
        }
        hadoop = credential.hadoop(environment["AERIAL_SPARK_ROOT"])
        assert any("MsiTokenProvider" in value for value in hadoop.values())

    def test_outputs_give_the_root_of_the_machine(self, environment: dict[str, str]) -> None:
        text = TEMPLATE["outputs"]["AERIAL_ROOT"]["value"]
        parts = re.findall(
            r"'([^']*)'", text.replace("parameters('storageAccountName')", "'someaccount'")
        )
        assert "".join(parts) == environment["AERIAL_ROOT"] == environment["AERIAL_SPARK_ROOT"]

    def test_workers_get_the_archive_that_the_page_has_built(
        self, loader: ProjectConfigLoader, environment: dict[str, str]
    ) -> None:
        assert loader["spark"]["spark.archives"] == environment["AERIAL_EXECUTORS"]
        makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
        built = re.search(r"^EXECUTORS := (.+)$", makefile, re.MULTILINE)
        assert built
        home = f"/home/{HEADER['CLUSTER_USER']}"
        assert environment["AERIAL_EXECUTORS"] == f"{home}/aerial_kedro/{built[1]}"
        step = TestPage.PAGE.split("**7. ", 1)[1].split("**8. ", 1)[0]
        assert "tar x -C aerial_kedro" in step
        assert "cd aerial_kedro && make install executors" in step

    def test_every_variable_is_one_that_the_page_lists(self, environment: dict[str, str]) -> None:
        page = (PROJECT / "conf/cluster/README.md").read_text(encoding="utf-8")
        own = {name for name in environment if name.startswith(("AERIAL_", "AZURE_", "MLFLOW_"))}
        assert own <= set(re.findall(r"`(\w+)`", page))


class TestNode:
    def test_spark_is_the_version_of_the_project(self) -> None:
        pinned = re.search(
            r"^pyspark==(.+)$", (PROJECT / "constraints.txt").read_text(), re.MULTILINE
        )
        assert pinned
        assert f"SPARK_VERSION={pinned[1]} " in NODE.read_text(encoding="utf-8")

    def test_secret_is_read_by_nobody_else(self, tmp_path: Path) -> None:
        node("write_spark_defaults conf", tmp_path)
        written = tmp_path / "conf" / "spark-defaults.conf"
        assert written.stat().st_mode & 0o077 == 0
        settings = dict(line.split(" ") for line in written.read_text().splitlines())
        assert settings["spark.authenticate"] == "true"
        assert settings["spark.authenticate.secret"] == HEADER["SPARK_SECRET"]

    def test_script_with_its_header_is_one_that_bash_reads(self, tmp_path: Path) -> None:
        """As the template puts it together: header, role, script, through base64."""
        header = "#!/bin/bash\n" + "".join(f"{name}={value}\n" for name, value in HEADER.items())
        given = base64.b64encode(NODE.read_bytes())
        whole = tmp_path / "script.sh"
        whole.write_bytes(header.encode() + base64.b64decode(given))
        subprocess.run(["bash", "-n", str(whole)], check=True, timeout=30)


class TestPage:
    PAGE = (PROJECT / "docs" / "cluster.md").read_text(encoding="utf-8")

    def test_has_ten_steps(self) -> None:
        assert re.findall(r"^\*\*(\d+)\. ", self.PAGE, re.MULTILINE) == [
            str(number) for number in range(1, 11)
        ]

    def test_gives_every_parameter_that_has_no_default(self) -> None:
        command = self.PAGE.split("az deployment group create", 1)[1].split("```", 1)[0]
        given = set(re.findall(r"\b(\w+)=", command))
        assert given == {name for name, each in PARAMETERS.items() if "defaultValue" not in each}
        assert "infra/template.json" in command

    def test_maps_the_original_s_containers_to_entries_of_the_catalog(
        self, loader: ProjectConfigLoader
    ) -> None:
        section = self.PAGE.split("## The containers of the original sample", 1)[1]
        rows = [line.split("|")[1:-1] for line in section.split("\n## ", 1)[0].splitlines()[2:]]
        rows = [row for row in rows if len(row) == 4][2:]
        named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row[0])}
        assert {
            "train", "test", "middlesexma2016", "pretrainedmodels", "trainedmodels", "predictions",
        } <= named  # fmt: skip
        entries = {name for row in rows for name in re.findall(r"`(\w+)`", row[2])}
        parameters = {name for row in rows for name in re.findall(r"(\w+)=", row[3])}
        assert len(entries) > 8
        assert entries <= set(loader["catalog"])
        assert parameters <= set(loader["parameters"])
