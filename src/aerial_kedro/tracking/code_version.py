"""Which code a run was made with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from aerial_kedro import __version__


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
