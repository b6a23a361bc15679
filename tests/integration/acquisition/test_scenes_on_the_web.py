"""From a search to features, with scenes that stay on the web, as a user runs it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyspark.sql import SparkSession
from rasterio.warp import transform_bounds

from aerial_kedro.cluster import spark
from aerial_kedro.datasets.scenes import SceneFolderDataset
from aerial_kedro.features.featurize import QUARANTINE_COLUMNS, UNSTABLE_REASON, explain_missing
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.reading import SOURCE_COLUMNS
from tests.builders import CODES, ORIGIN, write_land_cover, write_scene
from tests.integration.acquisition.conftest import own_rules
from tests.integration.kedro_project import Project
from tests.unit.imagery.web import SECRET, Asked, Web, running_web

YEARS = (2018, 2020)


@dataclass(frozen=True)
class Job:
    """What a user did: a search, then the main job on what it found, up to the labelled tiles."""

    project: Project
    web: Web
    land_cover: str
    folder: Path
    log: str
    found_before_reading: list[Asked]


def host_imagery(web: Web, folder: Path) -> list[float]:
    """Put a scene of each year on the web and into its STAC API; return where they are."""
    box: tuple[float, ...] = ()
    for year in YEARS:
        path = write_scene(folder / f"m_{year}0701.tif", tiled=True, blockxsize=128, blockysize=128)
        with rasterio.open(path) as scene:
            box = transform_bounds(scene.crs, 4326, *scene.bounds)
        # As some APIs give addresses: signed already.
        signed = f"{web.host(path)}?se=2020-01-01&sig={SECRET}-old"
        web.add_item(signed, box, f"{year}-07-01", **{"proj:epsg": 26918, "gsd": 2})
    return list(box)


@contextlib.contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    loggers = [logging.getLogger(name) for name in ("rasterio", "urllib3", "aerial_kedro")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        yield text
    finally:
        logging.getLogger().removeHandler(handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@pytest.fixture(scope="module")
def job(_kedro: None, tracking_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """Runs with a throttled server, dropped connections and signatures that have run out."""
    root = tmp_path_factory.mktemp("job")
    folder = root / "scenes"
    folder.mkdir()
    codes = np.random.default_rng(0).choice(np.array(CODES[:-1], np.uint8), (40, 40))
    write_land_cover(root / "nlcd_2019.tif", codes, origin=(ORIGIN[0] - 200, ORIGIN[1] + 200))
    with running_web() as web, own_rules(web) as rules, everything_logged() as log:
        bbox = host_imagery(web, folder)
        request = {"api_url": web.api, "bbox": bbox, "years": list(YEARS)}
        parameters = {"acquisition": request, "imagery": rules}
        project = Project(root / "data", parameters, tracking_uri)
        project.run("acquisition")
        found_before_reading = list(web.asked)
        # The driver's first signature, and that of the first worker.
        web.refused = {1, 3}
        web.faults = ["503", "ok", "drop", "429", "ok", "drop"]
        project.run(
            "data_ingestion",
            to_outputs=["labelled_tiles"],
            scenes_root=str(project.data / "01_raw/acquired/scenes.json"),
            landcover_path=str(root / "nlcd_2019.tif"),
        )
        yield Job(
            project, web, str(root / "nlcd_2019.tif"), folder, log.getvalue(), found_before_reading
        )


def test_a_list_says_where_scenes_are_without_signature(job: Job) -> None:
    listed = job.project.json("01_raw/acquired/scenes.json")
    assert [scene["href"] for scene in listed["scenes"]] == addresses(job.web)
    assert [scene["year"] for scene in listed["scenes"]] == list(YEARS)
    assert {scene["epsg"] for scene in listed["scenes"]} == {26918}


def test_a_search_reads_no_scene_and_says_how_much_it_found(job: Job) -> None:
    assert job.found_before_reading == []
    assert "2 scene(s) found: 1 of 2018, 1 of 2020. About 0.00 GB" in job.log


def test_scenes_are_read_through_all_faults(job: Job) -> None:
    tiles = job.project.table("02_intermediate/labelled_tiles")
    assert set(tiles["href"]) == set(addresses(job.web))
    assert len(tiles) == 18
    assert (tiles["nodata_fraction"] == 0).all()
    assert job.web.faults == []
    assert job.web.tokens >= 4


def test_workers_read_tiles_from_the_web(job: Job, spark_session: SparkSession) -> None:
    """Each tile, as the second look before the quarantine does."""
    with own_rules(job.web):
        tiles = spark.session().read.parquet(
            str(job.project.data / "02_intermediate/labelled_tiles")
        )
        read_again = functools.partial(explain_missing, size=64)
        rows = tiles.select(*SOURCE_COLUMNS).mapInArrow(read_again, ddl(QUARANTINE_COLUMNS))
        assert {row["reason"] for row in rows.collect()} == {UNSTABLE_REASON}


def test_the_catalog_is_the_same_from_the_web_as_from_a_folder(job: Job) -> None:
    other = Project(job.project.data.parent / "other", job.project.parameters)
    other = dataclasses.replace(other, tracking_uri=job.project.tracking_uri)
    other.run(
        "data_ingestion",
        to_outputs=["labelled_tiles"],
        scenes_root=str(job.folder),
        landcover_path=job.land_cover,
    )
    columns = ["image_id", "row_off", "col_off", "gsd_m", "year", "nodata_fraction", "label"]
    web, disk = (
        each.table("02_intermediate/labelled_tiles")
        .sort_values("image_id", ignore_index=True)[columns]
        for each in (job.project, other)
    )  # fmt: skip
    assert web.equals(disk)


def test_no_signature_is_written_or_logged(job: Job) -> None:
    assert all(SECRET in asked.query for asked in job.web.asked)
    written = [path for path in job.project.data.rglob("*") if path.is_file()]
    assert len(written) > 3
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []
    assert "/scenes/" in job.log
    assert SECRET not in job.log


def addresses(web: Web) -> list[str]:
    return [web.base + path for path in web.files]


def read_headers(path: Path) -> list[Any]:
    return SceneFolderDataset(path=str(path)).load().collect()


def write_list(path: Path, *hrefs: str) -> Path:
    path.write_text(json.dumps({"scenes": [{"href": href} for href in hrefs]}))
    return path


@pytest.mark.usefixtures("rules", "_kedro")
class TestHeaders:
    def test_headers_are_read_with_a_few_kilobytes(self, web: Web, tmp_path: Path) -> None:
        pixels = np.zeros((3, 2048, 2048), dtype=np.uint8)
        path = write_scene(
            tmp_path / "m_2018.tif", pixels=pixels, tiled=True, blockxsize=256, blockysize=256
        )
        web.refused = set()
        [row] = read_headers(write_list(tmp_path / "scenes.json", web.host(path)))
        assert (row["width"], row["year"]) == (2048, 2018)
        assert row["source_version"] == f"{path.stat().st_size}-v1"
        assert SECRET not in repr(row)
        assert web.sent < 70_000 < path.stat().st_size / 100

    def test_a_list_may_hold_files_of_the_disk(self, web: Web, tmp_path: Path) -> None:
        local = write_scene(tmp_path / "m_2016.tif")
        remote = web.host(write_scene(tmp_path / "m_2018.tif"))
        rows = read_headers(write_list(tmp_path / "scenes.json", str(local), remote))
        assert [row["year"] for row in rows] == [2016, 2018]

    def test_the_year_of_the_list_holds(self, web: Web, tmp_path: Path) -> None:
        href = web.host(write_scene(tmp_path / "m_2018.tif"))
        (tmp_path / "scenes.csv").write_text(f"href,year\n{href},2017\n")
        assert [row["year"] for row in read_headers(tmp_path / "scenes.csv")] == [2017]

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            ("403", r"cannot be read \(403 .*take the scene out"),
            ("404", r"cannot be read \(404 .*take the scene out"),
            ("503", r"cannot be read \(503 .*run again later"),
            ("whole", r"does not send parts of files.*[Dd]ownload the scenes"),
        ],
    )
    def test_a_scene_that_cannot_be_read_is_named(
        self, web: Web, tmp_path: Path, fault: str, reason: str
    ) -> None:
        href = web.host(write_scene(tmp_path / "m_2018.tif"))
        web.always = fault
        with pytest.raises(Exception, match=reason) as caught:
            read_headers(write_list(tmp_path / "scenes.json", href))
        assert href in str(caught.value)
        assert SECRET not in str(caught.value)

    def test_a_scene_that_is_no_geotiff_is_named(self, web: Web, tmp_path: Path) -> None:
        (tmp_path / "m_2018.tif").write_bytes(b"II*\0nothing of the kind" * 100)
        href = web.host(tmp_path / "m_2018.tif")
        with pytest.raises(Exception, match=r"m_2018\.tif cannot be read") as caught:
            read_headers(write_list(tmp_path / "scenes.json", href))
        assert SECRET not in str(caught.value)

    def test_a_host_that_is_not_allowed_is_named(self, tmp_path: Path) -> None:
        path = write_list(tmp_path / "scenes.json", "https://example.org/m_2018.tif")
        with pytest.raises(Exception, match=r"example\.org, which is not among.*imagery\.hosts"):
            read_headers(path)

    def test_a_list_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Exception, match=r"does not exist.*--pipeline=acquisition"):
            read_headers(tmp_path / "scenes.json")


@pytest.mark.shared_data
@pytest.mark.usefixtures("rules", "_kedro")
def test_real_scenes_are_the_same_from_the_web(web: Web, shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "naip/california").glob("riverside_*_62.tif"))
    assert len(paths) == 3
    web.refused = set()
    rows = read_headers(write_list(tmp_path / "scenes.json", *(web.host(path) for path in paths)))
    local = [SceneFolderDataset(path=str(path)).load().collect()[0] for path in paths]
    for name in ("crs", "epsg", "transform", "width", "height", "gsd_m", "year", "lon", "lat"):
        assert [row[name] for row in rows] == [row[name] for row in local]


def test_parameters_that_make_no_sense_are_refused_before_the_run(project: Project) -> None:
    message = project.refusal("--pipeline=acquisition", "--params=acquisition.bbox=1/2/3")
    assert "acquisition.bbox='1/2/3'" in message
    message = project.refusal("--pipeline=acquisition")
    assert message.startswith("acquisition.bbox and acquisition.years not set.")
