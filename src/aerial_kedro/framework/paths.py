"""Paths as people type them: from the working folder, from their home."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Run parameters that end so name a file or folder.
_ENDINGS = ("_root", "_path", "_labels", "_onnx")


def is_path_parameter(name: str) -> bool:
    """Return whether a run parameter names a file or folder."""
    return name.endswith(_ENDINGS) and "." not in name


def path_parameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Pick the run parameters that name a file or folder, those that are given."""
    return {
        name: str(value)
        for name, value in parameters.items()
        if is_path_parameter(name) and isinstance(value, str | int) and str(value)
    }


def expand_path(path: str) -> str:
    """Write a path from the root of the disk; addresses (``abfss://…``) stay as they are.

    Readers of workers know another working folder, and addresses may not climb (``..``).

    Examples
    --------
    >>> expand_path("/data/../scenes"), expand_path("abfss://naip@account/x")
    ('/scenes', 'abfss://naip@account/x')
    """
    if "://" in path:
        return path
    path = os.path.expanduser(path)  # noqa: PTH111  (of a home that is not known it keeps the ~)
    # What `..` means depends on links; without it, links stay as they are written.
    return os.path.realpath(path) if ".." in Path(path).parts else str(Path(path).absolute())
