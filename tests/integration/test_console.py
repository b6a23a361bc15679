"""What a run says in a terminal or a file, and that it is alone on its data folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from aerial_kedro.framework.console import describe_step
from aerial_kedro.framework.run_lock import LOCK_NAME, one_run_at_a_time
from tests.integration.kedro_project import COUNTY, PROJECT, Project

LINE = re.compile(r"\d\d:\d\d:\d\d (INFO   |WARNING) (.+)")
STEP = re.compile(r"(.+?) +\d+\.\d s")
SMALL = {"width_m": 1100, "height_m": 900}
# What libraries say about what is meant so here, and what Kedro says of every node.
CHATTER = (
    "NodataShadowWarning",
    "type hints",
    "native-hadoop",
    "log4j",
    "log level",
    "alembic",
    "mlflow.store",
    "synchronous mode",
    "logging configuration",
    "Completed",
    "execution completed",
)
RUN = """
import json, sys
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(sys.argv[1])
for name in sys.argv[3:]:
    with KedroSession.create(
        sys.argv[1], env="base", runtime_params=json.loads(sys.argv[2])
    ) as session:
        session.run(pipeline_names=[name])
"""


def run_process(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, which logs as a user's does: by `conf/logging.yml`."""
    with project.environment():
        # Java says that it picks up the options that tests give it.
        given = {name: text for name, text in os.environ.items() if name != "JDK_JAVA_OPTIONS"}
        return subprocess.run(
            [sys.executable, *arguments],
            check=False,
            cwd=PROJECT,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def steps_in(text: str) -> Counter[str]:
    """Count the steps that a log names."""
    lines = [found[2] for line in text.splitlines() if (found := LINE.fullmatch(line))]
    return Counter(found[1] for line in lines if (found := STEP.fullmatch(line)))


def steps_of(*names: str) -> Counter[str]:
    """List the steps of pipelines, each once."""
    return Counter(describe_step(node.name) for name in names for node in pipelines[name].nodes)


@pytest.mark.usefixtures("_kedro")
def test_spark_and_its_workers_add_no_chatter(tmp_path: Path) -> None:
    """Scenes with a nodata value and a fourth band, read by workers, whose warnings are printed."""
    names = "sample_data", "data_ingestion"
    given = {**COUNTY, "sample_county": {**COUNTY["sample_county"], **SMALL}}
    project = Project(tmp_path / "data", given)
    done = run_process(project, "-c", RUN, str(PROJECT), json.dumps(given), *names)
    said = done.stdout
    assert done.returncode == 0, said
    assert steps_in(said) == steps_of(*names)
    assert [word for word in CHATTER if word in said] == []
    strange = [line for line in said.splitlines() if not LINE.fullmatch(line)]
    assert strange == []


def test_a_second_run_on_a_data_folder_is_refused_in_a_sentence(project: Project) -> None:
    with one_run_at_a_time(str(project.data)):
        second = run_process(project, "-m", "kedro", "run", "--env=base", "--pipeline=digits")
    assert second.returncode == 1
    assert second.stdout.strip().count("\n") == 0, second.stdout
    assert re.fullmatch(
        rf"Error: The folder {project.data} is in use by another run \(process {os.getpid()} on "
        r"\S+, started \S+ \S+\): wait until it ends, .+",
        second.stdout.strip(),
    )
    # Not even the run history was begun.
    assert [path.name for path in project.data.iterdir()] == [LOCK_NAME]


def test_only_runs_take_the_lock(project: Project) -> None:
    """kedro-viz and notebooks make contexts too, beside a run."""
    with project.environment(), KedroSession.create(PROJECT, env="base") as session:
        session.load_context()
    assert not (project.data / LOCK_NAME).exists()
