"""The command `kedro run` of this project: Kedro's own, which takes paths as they are written.

Kedro reads each value of ``--params`` as YAML and divides the text at every comma, so that paths
with ``,``, ``#`` or ``: `` lose a part of themselves.
"""

import copy
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from aerial_kedro.framework.paths import is_path_parameter

_PARAMS = next(option for option in kedro_run.params if option.name == "params")
_NOTHING = ("", "null", "Null", "NULL", "~")  # as YAML has it


def split_params(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    """Read ``name=value,name=value`` as Kedro does, apart from values that are paths.

    Parameters
    ----------
    ctx, option
        Of click.
    value
        The text; what a file given as ``--config`` holds passes as it is.

    Raises
    ------
    click.UsageError
        If a part has no name, and does not follow a path that it could be a piece of.
    """
    if not isinstance(value, str):
        return _PARAMS.callback(ctx, option, value) if _PARAMS.callback else value
    others: list[str] = []
    paths: dict[str, str] = {}
    last = ""
    # Kedro drops empty parts; within the text they may be a piece of a path.
    for part in value.rstrip(", ").split(","):
        name, equals, given = part.partition("=")
        if equals:
            last = name.strip()
            if is_path_parameter(last) and given.strip() not in _NOTHING:
                paths[last] = given
            else:
                others.append(part)
        elif last in paths:
            paths[last] += f",{part}"
        elif part.strip():
            raise click.UsageError(
                f"--params is divided at commas, and the part {part.strip()!r} has no name: write "
                "name=value,name=value. Several values of one parameter are divided by slashes "
                "(acquisition.bbox=W/S/E/N); text with a comma goes into conf/local/parameters.yml "
                '(name: "text, with a comma").',
                ctx,
            )
    read = _PARAMS.callback(ctx, option, ",".join(others)) if _PARAMS.callback else {}
    return {**(read or {}), **{name: path.strip() for name, path in paths.items()}}


def _with_paths() -> click.Command:
    command, option = copy.copy(kedro_run), copy.copy(_PARAMS)
    option.callback = split_params
    command.params = [option if each is _PARAMS else each for each in kedro_run.params]
    return command


run = _with_paths()
cli = click.Group(name="aerial_kedro", commands={"run": run})
