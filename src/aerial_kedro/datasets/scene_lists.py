"""Files that list scenes: JSON of the acquisition, tables, spreadsheets, layers of footprints."""

import contextlib
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import geopandas as gpd
import pandas as pd
import pyogrio

from aerial_kedro.datasets.vectors import VectorFileDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.scene_list import ListedScene, SceneList, parse_scene_list, same_scene
from aerial_kedro.imagery.scene_table import read_delimited, scenes_of_table
from aerial_kedro.scenes.addresses import check_root

LOGGER = logging.getLogger(__name__)
_TEXTS = (".csv", ".tsv", ".txt")
_SHEETS = (".xlsx", ".ods")
_LAYERS = (".geojson", ".gpkg", ".shp", ".fgb", ".parquet", ".geoparquet")
LIST_ENDINGS = (".json", *_TEXTS, *_SHEETS, *_LAYERS)
"""Endings of files that list scenes, in small letters."""

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


class SceneListFile(VectorFileDataset[SceneList]):
    """A file that lists scenes; `read` gives them with whole addresses.

    Paths in it are relative to the file, or else to the working folder. Options are those of
    `VectorFileDataset`.
    """

    not_saved = "Lists of scenes are written by the pipeline `acquisition`."
    parameter = "scenes_root"
    wanted = (
        "a folder of scenes, or a list of them: the JSON that `kedro run --pipeline=acquisition` "
        "writes, a table (CSV, .xlsx) with the columns href and year, or footprints with a column "
        "of paths"
    )

    def load(self) -> SceneList:
        """Read the list; see `read`."""
        return self.read()

    def read(self) -> SceneList:
        """Read the list.

        Raises
        ------
        AerialError
            If the file is not there, is no list, or lists nothing that can be an address here.
        """
        check_root(self._path, self.parameter)
        ending = PurePosixPath(self._path).suffix.lower()
        if not self.has():
            raise AerialError(f"scenes_root={self._path} does not exist. Give {self.wanted}.")
        if ending in _SHEETS:
            listed = self._of_frame(self.read_file(self._read_sheet))
        elif ending in _LAYERS or (ending == ".json" and self._is_geojson()):
            listed = self._of_frame(self.read_file(self.read_layer))
        elif ending in _TEXTS:
            listed = scenes_of_table(*read_delimited(self.read_bytes(), self._path), self._path)
        else:
            listed = parse_scene_list(self.read_bytes(), self._path)
        if not listed.scenes:
            raise AerialError(f"scenes_root={self._path} lists no scene.")
        scenes = self._once(self._placed(scene) for scene in listed.scenes)
        if len(scenes) < len(listed.scenes):
            again = len(listed.scenes) - len(scenes)
            LOGGER.warning("%s: %s address(es) lead to a scene listed before", self._path, again)
        return listed.model_copy(update={"scenes": scenes})

    def _once(self, scenes: Iterable[ListedScene]) -> tuple[ListedScene, ...]:
        """Leave out repeats, which a path may spell in many ways."""
        kept: dict[str, ListedScene] = {}
        for scene in scenes:
            place = _in_real_folder(scene.href) if scene.href.startswith("/") else scene.href
            known = kept.get(place, scene)
            chosen = same_scene(known, scene)
            if chosen is None:
                raise AerialError(
                    f"scenes_root={self._path} lists {scene.href} twice, of {known.year} and of "
                    f"{scene.year}. Keep one of them."
                )
            kept[place] = chosen
        return tuple(kept.values())

    def _is_geojson(self) -> bool:
        try:
            content = json.loads(self.read_bytes())
        except ValueError:
            return False
        return isinstance(content, dict) and content.get("type") == "FeatureCollection"

    def _read_sheet(self, file: str) -> pd.DataFrame:
        try:
            # Its first line names the columns, even where all else is text.
            with _headings():
                return pd.DataFrame(gpd.read_file(file, engine="pyogrio"))
        except pyogrio.errors.DataSourceError as error:
            raise AerialError(
                f"scenes_root={self._path} cannot be read as a spreadsheet ({error}). Save it as "
                "'CSV UTF-8'."
            ) from error

    def _of_frame(self, frame: pd.DataFrame) -> SceneList:
        kept = frame.drop(columns="geometry", errors="ignore")
        texts = kept.astype(object).where(kept.notna(), "").astype(str)
        columns = [str(name) for name in texts.columns]
        rows = [dict(zip(columns, row, strict=True)) for row in texts.itertuples(index=False)]
        return scenes_of_table(columns, rows, self._path)

    def _placed(self, scene: ListedScene) -> ListedScene:
        href = scene.href
        if _WINDOWS.match(href) and not Path(href).exists():
            raise AerialError(
                f"scenes_root={self._path} lists {href}, a path of Windows. Write paths as this "
                "machine has them, or relative to the list."
            )
        if href.startswith("file://"):
            plain = href.removeprefix("file://")
            href = plain if Path(plain).exists() else unquote(plain)
        if ":" in href.split("/", 1)[0]:
            return scene
        href = os.path.expanduser(href)  # noqa: PTH111
        if not href.startswith("/"):
            href = self._beside(href)
        return scene.model_copy(update={"href": href})

    def _beside(self, href: str) -> str:
        """Find what a relative path means."""
        folder = self._path.rpartition("/")[0]
        if "://" in self._path:
            return f"{folder}/{href}"
        for spelled in (href, href.replace("\\", "/")):
            for start in (folder or ".", "."):
                path = _in_real_folder(f"{start}/{spelled}")
                if Path(path).exists():
                    return path
        return str(Path(folder or ".", href).absolute())


def _in_real_folder(path: str) -> str:
    """Follow links to the folder of a file; its own name may say its year, where it is a link."""
    folder, _, name = path.rpartition("/")
    return os.path.join(os.path.realpath(folder or "/"), name)  # noqa: PTH118


@contextlib.contextmanager
def _headings() -> Iterator[None]:
    """Have GDAL take the first line of a spreadsheet for the names of its columns."""
    names = ("OGR_XLSX_HEADERS", "OGR_ODS_HEADERS")
    pyogrio.set_gdal_config_options(dict.fromkeys(names, "FORCE"))
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(names))
