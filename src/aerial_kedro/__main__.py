"""Entry point of the packaged project: ``aerial-kedro`` takes the arguments of ``kedro run``."""

import sys
from pathlib import Path

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*args: str, **kwargs: object) -> object:
    """Run the pipelines of the installed package."""
    package = Path(__file__).parent.name
    configure_project(package)
    run = find_run_command(package)
    kwargs.setdefault("prog_name", "run")  # the section of a file given as --config
    kwargs.setdefault("standalone_mode", not hasattr(sys, "ps1"))
    return run(*args, **kwargs)


if __name__ == "__main__":
    main()
