"""A small Spark job of the environment ``cluster`` that tells what its workers are.

Started by the rehearsal as a program of its own; its last line is JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

_TASKS = 8


def look(_: object) -> Iterator[tuple[str, ...]]:
    """Tell of the interpreter that this runs in: folder, version, absent and present packages."""
    import importlib.util  # noqa: PLC0415  (on a worker)
    import sys  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from aerial_kedro.features import featurize  # noqa: PLC0415

    heavy = [name for name in ("torch", "kedro", "mlflow") if importlib.util.find_spec(name)]
    folder = str(Path.cwd())
    inside = sys.prefix.startswith(folder) and str(featurize.__file__).startswith(folder)
    yield folder, str(inside).lower(), sys.version.split()[0], ",".join(heavy)


def main() -> None:
    """Start Spark as a run does, and ask every worker."""
    project = Path(__file__).parents[1]
    bootstrap_project(project)
    with KedroSession.create(project, env="cluster") as session:
        session.load_context()  # its hooks give Spark its settings
        from aerial_kedro.cluster import spark  # noqa: PLC0415

        context = spark.session().sparkContext
        found = context.parallelize(range(_TASKS), _TASKS).mapPartitions(look).distinct().collect()
        names = ("folder", "unpacked", "python", "heavy")
        answers = [dict(zip(names, each, strict=True)) for each in sorted(found)]
        sys.stdout.write(json.dumps(answers) + "\n")
        context.stop()


if __name__ == "__main__":
    main()
