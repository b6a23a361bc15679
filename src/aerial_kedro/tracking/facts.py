"""Facts of a run for its history, as MLflow takes them: times, parameters, figures, the code."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pydantic import BaseModel

from aerial_kedro import __version__
from aerial_kedro.imagery.redaction import redact

_LONGEST = 500
"""Characters of a value; the oldest of MLflow's servers in use take no more."""
_UNFIT = re.compile(r"[^/\w.\- :]")


class StepTimes:
    """How long each step of a run took, with reading and writing.

    Examples
    --------
    >>> times = StepTimes()
    >>> times.by_step()
    {}
    """

    def __init__(self) -> None:
        self._spans: dict[str, tuple[str, float, float]] = {}

    def record(self, node: Node) -> None:
        """Record that a node is at work now."""
        now = time.monotonic()
        step = (node.namespace or node.name).split(".")[0]
        _, start, _ = self._spans.get(node.name, (step, now, now))
        self._spans[node.name] = (step, start, now)

    def by_step(self) -> dict[str, float]:
        """Add up the seconds of the nodes of each step (the outermost namespace)."""
        steps: dict[str, float] = {}
        for step, start, end in self._spans.values():
            steps[step] = steps.get(step, 0.0) + end - start
        return steps


def without_queries(run_params: Mapping[str, Any]) -> dict[str, Any]:
    """Take the query of every address out of what ``--params`` gave, which becomes a tag.

    Examples
    --------
    >>> without_queries({"env": "base", "runtime_params": {"scenes_root": "abfss://c?sig=abc"}})
    {'env': 'base', 'runtime_params': "{'scenes_root': 'abfss://c?…'}"}
    """
    given = run_params.get("runtime_params")
    return {**run_params, "runtime_params": redact(given) if given else None}


def list_parameters(
    parameters: Mapping[str, Any], pipeline: Pipeline, registered: list[Pipeline]
) -> dict[str, str]:
    """List the parameters of a run, each by itself.

    Parameters
    ----------
    parameters
        All parameters, nested; groups may be pydantic models, whose defaults are listed as well.
    pipeline
        What runs.
    registered
        All pipelines there are. What only nodes of others take is left out; what no node takes
        stays, since the catalog reads it.

    Returns
    -------
    dict
        ``group.name`` to value. Addresses are without their query, which may be a signature.
    """
    here = _taken(pipeline)
    elsewhere = set().union(*(_taken(each) for each in registered)) - here
    kept = {name: value for name, value in parameters.items() if name not in elsewhere}
    return {
        _UNFIT.sub("_", name): redact(value)[:_LONGEST] for name, value in _flatten(kept, prefix="")
    }


def _taken(pipeline: Pipeline) -> set[str]:
    prefix = "params:"
    return {
        name.removeprefix(prefix).split(".")[0]
        for name in pipeline.inputs()
        if name.startswith(prefix)
    }


def _flatten(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, given in values.items():
        value = given.model_dump() if isinstance(given, BaseModel) else given
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def name_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Name figures as MLflow takes them: a class may be called "Wine & fruit (old)".

    Parameters
    ----------
    metrics
        Name to figure.

    Returns
    -------
    dict
        The same figures; what MLflow takes in no name is ``_``, and names that only differed
        there end in one more each.
    """
    found: dict[str, float] = {}
    for name, figure in metrics.items():
        plain = _UNFIT.sub("_", name).replace("/", "_")
        while plain in found:
            plain += "_"
        found[plain] = figure
    return found


def code_version(project: Path) -> dict[str, str]:
    """Return the package's version and, inside a checkout, the commit.

    Parameters
    ----------
    project
        The project's folder.

    Returns
    -------
    dict
        ``code.version``; ``code.commit`` and ``code.changed`` (whether tracked files differ from
        the commit) where the folder is the root of a Git checkout.
    """
    found = {"code.version": __version__}
    # A copy of the project inside some other checkout has no commit of its own.
    if _git(project, "rev-parse", "--show-prefix") != "":
        return found
    commit = _git(project, "rev-parse", "HEAD")
    if commit:
        changes = _git(project, "status", "--porcelain", "--untracked-files=no")
        found |= {"code.commit": commit, "code.changed": str(changes != "").lower()}
    return found


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
