"""``make executors``: an archive with the Python of Spark's workers, for ``AERIAL_EXECUTORS``.

A virtual environment links to the interpreter that it was made from, packed or not, and workers
would need that one at the same path. So the archive holds an interpreter of its own: the binary,
its standard library and the system libraries that these need, without those of C itself. A small
script tells it where it was unpacked.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[1]
REQUIREMENTS = Path(__file__).with_name("executors.txt")
# Of the standard library: what workers never import, most of its size.
_LEFT_OUT = (
    "site-packages", "dist-packages", "test", "tests", "idlelib", "idle_test", "tkinter",
    "turtledemo", "ensurepip", "lib2to3", "config-*", "__pycache__", "_tkinter*", "_curses*",
    "readline*", "nis*",
)  # fmt: skip
# Every Linux has its own, made for its kernel; another C library beside it would not load.
_OF_C = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|util|pthread|resolv|nsl))\.so(\..*)?")
# Of installed packages: tests, headers, and GeoPandas' reader of polygon layers (100 MB), which the
# driver alone uses.
_UNUSED = ("**/tests", "pyarrow/include", "bin", "pyogrio*")
_LAUNCHER = """\
#!/bin/sh
# Starts the Python beside it, wherever this was unpacked.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
export PYTHONHOME="$here" PYTHONNOUSERSITE=1
export PYTHONPATH="$here/packages${{PYTHONPATH:+:$PYTHONPATH}}"
export LD_LIBRARY_PATH="$here/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
exec "$here/bin/{interpreter}" "$@"
"""


def build(wheel: Path, archive: Path, extras: list[str]) -> dict[str, float | int | str]:
    """Build the archive.

    Parameters
    ----------
    wheel
        Of this project; installed without its dependencies.
    archive
        Where to put it (``.tar.gz``). The folder beside it of the same name is made anew.
    extras
        More packages, such as ``openvino``.

    Returns
    -------
    dict
        Sizes in MB, and the least version of the C library that workers must have.
    """
    tree = archive.with_name(archive.name.removesuffix(".tar.gz"))
    shutil.rmtree(tree, ignore_errors=True)
    launcher = write_launcher(copy_interpreter(tree))
    install(wheel, tree / "packages", extras)
    check(launcher)
    with tarfile.open(archive, "w:gz", compresslevel=6) as packed:
        for path in sorted(tree.iterdir()):
            packed.add(path, path.name)
    return {
        "archive": str(archive),
        "archive_mb": round(archive.stat().st_size / 1e6),
        "unpacked_mb": round(sum(p.stat().st_size for p in tree.rglob("*") if p.is_file()) / 1e6),
        "python": sysconfig.get_python_version(),
        "c_library": "-".join(platform.libc_ver()),
    }


def copy_interpreter(tree: Path) -> Path:
    """Copy the interpreter that runs this, its standard library and what they link to.

    Parameters
    ----------
    tree
        Folder to copy into.

    Returns
    -------
    Path
        The copy of the binary.
    """
    version = sysconfig.get_python_version()
    binary = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    interpreter = tree / "bin" / f"python{version}"
    interpreter.parent.mkdir(parents=True)
    shutil.copy2(binary, interpreter)
    stdlib = tree / "lib" / f"python{version}"
    source = sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})
    shutil.copytree(source, stdlib, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for linked in [binary, *(stdlib / "lib-dynload").glob("*.so")]:
        for library in _libraries(linked):
            shutil.copy2(library, tree / "lib" / library.name)
    return interpreter


def write_launcher(interpreter: Path) -> Path:
    """Write the script that starts a copied interpreter; return it.

    Parameters
    ----------
    interpreter
        The copy of the binary.
    """
    launcher = interpreter.with_name("python")
    launcher.write_text(_LAUNCHER.format(interpreter=interpreter.name), encoding="utf-8")
    launcher.chmod(0o755)
    return launcher


def install(wheel: Path, packages: Path, extras: list[str]) -> None:
    """Install what workers import, in the versions of the constraints, and the project itself.

    Parameters
    ----------
    wheel
        Of this project.
    packages
        Folder to install into.
    extras
        More packages.
    """
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    target = ["--target", str(packages)]
    constraints = ["--constraint", str(PROJECT / "constraints.txt")]
    subprocess.run([*pip, *target, *constraints, "-r", str(REQUIREMENTS), *extras], check=True)
    subprocess.run([*pip, *target, "--no-deps", str(wheel)], check=True)
    for pattern in _UNUSED:
        for unused in sorted(packages.glob(pattern)):
            shutil.rmtree(unused, ignore_errors=True)


def check(launcher: Path) -> None:
    """Import in the packed Python what workers import; nothing of this environment helps it.

    Parameters
    ----------
    launcher
        The script that starts it.
    """
    code = (
        "import importlib.util as u, sys\n"
        "import adlfs, sqlite3, ssl\n"
        "import aerial_kedro.features.featurize, aerial_kedro.labels.land_cover\n"
        "import onnxruntime, aerial_kedro.explain.tiles\n"
        "assert not u.find_spec('torch') and not u.find_spec('kedro'), sys.path\n"
        "outside = [p for p in sys.path if p and not p.startswith(sys.prefix)]\n"
        "assert not outside, outside\n"
    )
    subprocess.run([str(launcher), "-c", code], check=True, env={"PATH": "/usr/bin:/bin"}, cwd="/")


def _libraries(linked: Path) -> Iterator[Path]:
    """List the shared libraries that a binary is linked to, without those of C itself."""
    said = subprocess.run(["ldd", str(linked)], capture_output=True, text=True, check=True).stdout
    if missing := [line.strip() for line in said.splitlines() if "not found" in line]:
        raise RuntimeError(f"{linked} is linked to what this machine lacks: {'; '.join(missing)}")
    for found in re.findall(r"=> (/\S+)", said):
        if not _OF_C.fullmatch(Path(found).name):
            yield Path(found)


def main() -> None:
    """Build the archive; end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path, help="of this project")
    parser.add_argument("--archive", type=Path, default=Path("build/executors/executors.tar.gz"))
    parser.add_argument("extras", nargs="*", help="more packages, such as openvino")
    given = parser.parse_args()
    archive = given.archive.absolute()
    archive.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(json.dumps({"executors": build(given.wheel, archive, given.extras)}) + "\n")


if __name__ == "__main__":
    main()
