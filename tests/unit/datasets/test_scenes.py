"""Scene folders, as far as they need no Spark."""

from dataclasses import replace
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyspark.sql import SparkSession

from aerial_kedro.datasets import listing, scenes
from aerial_kedro.datasets.atomic import find_filesystem
from aerial_kedro.datasets.scenes import SceneFolderDataset
from aerial_kedro.scenes.headers import SceneHeader
from tests.builders import read_scene_header, write_scene
from tests.unit.datasets.refusals import refused


class TestScenes:
    def test_a_missing_folder_says_how_to_draw_the_sample(self, tmp_path: Path) -> None:
        with refused(r"scenes_root=.*gone does not exist.*sample_data"):
            SceneFolderDataset(path=str(tmp_path / "gone")).load()

    def test_a_folder_without_scenes_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "readme.txt").write_text("nothing here")
        with refused(r"holds no GeoTIFF.*from_folders"):
            SceneFolderDataset(path=str(tmp_path)).load()

    def test_pictures_of_other_formats_are_counted(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "a_2018.jp2").touch()
        with refused(r"holds no GeoTIFF.*only 1 \.jp2\..*gdal_translate -of COG"):
            SceneFolderDataset(path=str(tmp_path)).load()
        write_scene(tmp_path / "a_2018.tif")
        assert SceneFolderDataset(path=str(tmp_path)).preview()
        assert "1 file(s) were passed over: 1 .jp2 (a_2018.jp2)" in caplog.messages[0]

    def test_one_bad_scene_is_named(self, tmp_path: Path) -> None:
        write_scene(tmp_path / "a_2018.tif")
        (tmp_path / "b_2018.tif").write_text("no scene")
        with refused(r"b_2018\.tif cannot be opened as a GeoTIFF"):
            SceneFolderDataset(path=str(tmp_path)).load()

    @pytest.mark.parametrize(
        ("href", "match"),
        [
            ("{folder}/../secret_2018.tif", "climbs out of its folder"),
            ("s3://bucket/a_2018.tif", "scheme 's3', which is not read"),
            ("/vsizip/{folder}/a.zip/a_2018.tif", "virtual file systems"),
            ("https://elsewhere.example/a_2018.tif", "elsewhere.example"),
        ],
    )
    def test_a_list_leads_nowhere_else(self, tmp_path: Path, href: str, match: str) -> None:
        (tmp_path / "list.csv").write_text(f"href\n{href.format(folder=tmp_path)}\n")
        with refused(match):
            SceneFolderDataset(path=str(tmp_path / "list.csv")).load()

    def test_spark_has_them_without_python_on_all_its_cores(
        self, spark_session: SparkSession, tmp_path: Path
    ) -> None:
        for name in ("a_2018.tif", "b_2018.tif", "c_2018.tif", "d_2018.tif"):
            write_scene(tmp_path / name)
        found = SceneFolderDataset(path=str(tmp_path), year=2018).load()
        planned = found._jdf.queryExecution()
        assert "LocalRelation" in planned.optimizedPlan().toString()
        assert planned.toRdd().getNumPartitions() == spark_session.sparkContext.defaultParallelism

    def test_numbers_that_count_scenes_are_no_years(
        self, spark_session: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        for name in ("plot_12.tif", "plot_1995.tif", "county_2016.tif"):
            write_scene(tmp_path / name)
        rows = SceneFolderDataset(path=str(tmp_path), year=2018).load().collect()
        years = {Path(row["href"]).name: row["year"] for row in rows}
        assert years == {"plot_12.tif": 2018, "plot_1995.tif": 2018, "county_2016.tif": 2016}
        assert caplog.messages == [
            "1 scene(s) have another number in their name that could be a year: plot_1995.tif: 2018"
        ]

    def test_a_lists_paths_are_relative_to_it_and_its_years_count(
        self, spark_session: SparkSession, tmp_path: Path
    ) -> None:
        for name in ("a_2018.tif", "b.tif"):
            write_scene(tmp_path / name)
        (tmp_path / "lists").mkdir()
        (tmp_path / "lists/list.csv").write_text("Path;Flown\n../a_2018.tif;2012\n../b.tif;2016\n")
        rows = SceneFolderDataset(path=str(tmp_path / "lists/list.csv")).load().collect()
        assert [(row["href"], row["year"]) for row in rows] == [
            (str(tmp_path / "a_2018.tif"), 2012),
            (str(tmp_path / "b.tif"), 2016),
        ]

    def test_numbers_that_count_scenes_of_a_list_are_no_years(
        self, spark_session: SparkSession, tmp_path: Path
    ) -> None:
        for name in ("plot12.tif", "plot1995.tif"):
            write_scene(tmp_path / name)
        (tmp_path / "list.csv").write_text("href\nplot12.tif\nplot1995.tif\n")
        rows = SceneFolderDataset(path=str(tmp_path / "list.csv"), year=2018).load().collect()
        assert [row["year"] for row in rows] == [2018, 2018]

    @pytest.mark.parametrize(
        "href", ["abfss://naip@account.dfs.core.windows.net/md/a_2018.tif", "az://naip/md/a.tif"]
    )
    def test_a_list_may_lead_to_blob_storage(
        self,
        spark_session: SparkSession,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        href: str,
    ) -> None:
        """Storage stands in memory, and a local scene for what GDAL would read there."""
        local = read_scene_header(write_scene(tmp_path / "a_2018.tif"))
        storage, blob = MemoryFileSystem(), f"/naip/md/{Path(href).name}"
        storage.pipe(blob, b"scene")
        opened = []

        def read(path: str, href: str, version: str, *_: object, **__: object) -> SceneHeader:
            opened.append(path)
            return replace(local, href=href, source_version=version)

        found = find_filesystem
        monkeypatch.setattr(
            listing,
            "find_filesystem",
            lambda root, *rest: (storage, blob) if root == href else found(root, *rest),
        )
        monkeypatch.setattr(scenes, "read_header", read)
        (tmp_path / "list.csv").write_text(f"href\n{href}\n")
        [row] = SceneFolderDataset(path=str(tmp_path / "list.csv")).load().collect()
        assert row["href"] == href
        assert opened == [f"/vsiaz{blob}"]

    def test_a_list_of_folders_is_refused(self, tmp_path: Path) -> None:
        write_scene(tmp_path / "a_2018.tif")
        (tmp_path / "list.csv").write_text(f"href\n{tmp_path}\n")
        with refused("which is a folder: list its files"):
            SceneFolderDataset(path=str(tmp_path / "list.csv")).load()
