"""Configuration: environment variables by name, and errors that say what to set."""

import copy
import glob
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from fsspec.implementations.local import LocalFileSystem
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationResolutionError

from aerial_kedro.errors import AerialError
from aerial_kedro.framework.paths import expand_path, path_parameters
from aerial_kedro.scenes.addresses import check_root

_ENV_REFERENCE = re.compile(r"\$\{env:\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}")
_LAYER = re.compile(r".*/0\d_([a-z_]+)(?:/|$)")  # the innermost
_ROOTS = ("root", "spark_root")


def with_layers(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Add kedro-viz's layer to the entries of a catalog that have no metadata of their own.

    Examples
    --------
    >>> entry = {"type": "text.TextDataset", "filepath": "data/08_reporting/report.html"}
    >>> with_layers({"report": entry})["report"]["metadata"]
    {'kedro-viz': {'layer': 'reporting'}}
    """
    found = {}
    for name, entry in catalog.items():
        place = entry.get("filepath") or entry.get("path") if isinstance(entry, Mapping) else None
        layer = _LAYER.match(str(place or ""))
        known = {"metadata": {"kedro-viz": {"layer": layer[1]}}} if layer else {}
        found[name] = {**known, **entry} if known else entry
    return found


def environment_variable(name: str, *default: Any) -> Any:
    """Resolve ``${env:NAME}`` or ``${env:NAME,default}`` in configuration files."""
    value = os.environ.get(name)
    if not value and not default:
        raise KeyError(name)
    return value or default[0]


class _ConfigurationFiles(LocalFileSystem):  # type: ignore[misc]
    """Files of a disk, of which patterns are looked for below a folder of whatever name."""

    def __init__(self, folder: str) -> None:
        super().__init__(use_listings_cache=False, skip_instance_cache=True)
        self._folder = Path(folder).absolute().as_posix()

    def glob(self, path: str, **options: Any) -> Any:
        """Find files, as fsspec does, with the folder's name taken as it is."""
        if path.startswith(self._folder):
            path = glob.escape(self._folder) + path.removeprefix(self._folder)
        return super().glob(path, **options)


class ProjectConfigLoader(OmegaConfigLoader):
    """Kedro's loader, and some things more, none of which a resolver or a hook could do.

    ``${run:NAME}`` in the catalog is the run parameter of that name, wherever it was set: so a
    path has one default, in `parameters.yml`. A missing environment variable is an error that
    names every one that is not set. And a relative root in `globals.yml` is the project's, from
    wherever the command is given: Kedro does that for some keys of the catalog only. Where the
    configuration is an archive there is no project, and the root is the working folder's. And an
    entry of the catalog whose place is in a folder of a layer, such as ``04_feature``, is shown
    in that layer by kedro-viz, unless its own ``metadata`` says otherwise. And an environment's
    own class table, `land_cover.codes`, stands for base's table and its groups of classes. And
    paths may be given as people type them (``../scenes``, ``~/naip``), and the project's folder may
    have any name. And files are read once: a start asks for the parameters about ten times.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._found: dict[tuple[str, str], dict[str, Any]] = {}
        OmegaConf.register_new_resolver("run", self._run_parameter, replace=True)
        super().__init__(*args, **kwargs)

    @staticmethod
    def _initialise_filesystem_and_protocol(conf_source: str) -> tuple[Any, str]:
        found, protocol = OmegaConfigLoader._initialise_filesystem_and_protocol(conf_source)
        return _ConfigurationFiles(conf_source) if protocol == "file" else found, protocol

    def _run_parameter(self, name: str) -> Any:
        return self["parameters"][name]

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return the configuration of a key: a copy, which may be changed."""
        if key in self:  # set from outside, perhaps to be set again
            return self._resolve(key)
        asked = (key, repr(self.runtime_params))
        if asked not in self._found:
            self._found[asked] = self._resolve(key)
        return copy.deepcopy(self._found[asked])

    def _resolve(self, key: str) -> dict[str, Any]:
        try:
            found = super().__getitem__(key)
        except InterpolationResolutionError as error:
            missing = self._missing_variables()
            if not missing:
                raise
            env = self.env or self.default_run_env
            raise click.ClickException(
                f"The environment {env!r} needs environment variables that are not set: "
                f"{', '.join(missing)}. conf/{env}/README.md says what each holds."
            ) from error
        if key == "catalog":
            return with_layers(found)
        if key == "parameters":
            paths = path_parameters(found)
            return {**found, **{name: expand_path(path) for name, path in paths.items()}}
        return self._with_absolute_roots(found) if key == "globals" else found

    def _merge_configs(self, config: Any, env_config: Any, key: str, env_path: str) -> Any:
        own = env_config.get("land_cover") if key == "parameters" else None
        if isinstance(own, Mapping) and "codes" in own:
            report = {**config.get("report", {}), "groups": {}}
            config = {**config, "land_cover": {}, "report": report}
        return super()._merge_configs(config, env_config, key, env_path)

    def _with_absolute_roots(self, settings: dict[str, Any]) -> dict[str, Any]:
        archived = self._protocol != "file"
        project = Path.cwd() if archived else Path(self.conf_source).absolute().parent
        roots = {
            name: expand_path(str(project / Path(value).expanduser()))
            for name, value in settings.items()
            if name in _ROOTS and "://" not in value
        }
        try:
            if "root" in settings:
                check_root(settings["root"], "The data folder (AERIAL_KEDRO_DATA, root)")
        except AerialError as error:
            raise click.ClickException(str(error)) from None
        return {**settings, **roots}

    def declared_parameters(self) -> dict[str, Any]:
        """Read the parameters as the files declare them, without those of ``--params``."""
        given, self.runtime_params = self.runtime_params, {}
        try:
            return dict(self["parameters"])
        finally:
            self.runtime_params = given

    def _missing_variables(self) -> list[str]:
        folders = [
            Path(self._get_conf_env_path(each)).as_posix()
            for each in (self.base_env, self.env or self.default_run_env)
        ]
        # Through the loader's file system: the configuration may be an archive.
        names = {
            name
            for folder in folders
            for pattern in ("yml", "yaml")
            for file in sorted(self._fs.glob(f"{folder}/**/*.{pattern}"))
            for line in self._fs.cat_file(file).decode("utf-8").splitlines()
            for name in _ENV_REFERENCE.findall(line.split("#", 1)[0])
        }
        return sorted(name for name in names if not os.environ.get(name))
