"""The main job from folders of labelled tiles: both layouts, and files that are no good tiles."""

from __future__ import annotations

import html
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image

from tests.integration.kedro_project import (
    FOLDERS,
    Project,
    assert_errors_are_explained,
    copy_of,
)
from tests.integration.tile_images import (
    CLASSES,
    ODD_NAME,
    SIDE_M,
    SIZE,
    draw_class_folders,
    draw_tile,
    write_summaries,
)

# The bad files: where they lie, and what their reason must speak of.
BAD = {
    "Checks/broken.png": "broken",
    "Noise/empty.png": "empty",
    "Plain/cmyk.jpg": "CMYK",
    "Plain/grey16.png": "16-bit",
    "Stripes/colour16.png": "16-bit",
    "Stripes/depth16.tif": "uint16",
    "Noise/text.png": "no image that is read",
}
GOOD = 16


def write_bad_files(root: Path) -> None:
    rng = np.random.default_rng(5)
    good = (root / "Checks" / "Checks_0.png").read_bytes()
    (root / "Checks/broken.png").write_bytes(good[: len(good) // 2])
    (root / "Noise/empty.png").touch()
    Image.fromarray(draw_tile("Plain", rng)).convert("CMYK").save(root / "Plain/cmyk.jpg")
    deep = rng.integers(0, 4096, (SIZE, SIZE, 3)).astype(np.uint16)
    Image.fromarray(deep[..., 0]).save(root / "Plain/grey16.png")
    (root / "Stripes/colour16.png").write_bytes(encode_png16(deep))
    with rasterio.open(
        root / "Stripes/depth16.tif", "w", driver="GTiff", height=SIZE, width=SIZE, count=3,
        dtype="uint16", transform=rasterio.Affine(1, 0, 0, 0, -1, SIZE),
    ) as dataset:  # fmt: skip
        dataset.write(deep.transpose(2, 0, 1))
    (root / "Noise/text.png").write_text("This is a text.")
    (root / "Noise/notes.txt").write_text("So is this, and it says so.")


def encode_png16(pixels: np.ndarray) -> bytes:
    """Write a PNG of 16-bit colour, which Pillow can only read."""
    rows, cols, _ = pixels.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", cols, rows, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


@pytest.fixture(scope="module")
def messy(_kedro: None, tmp_path_factory: pytest.TempPathFactory, tracking_uri: str) -> Project:
    """``<Class>/*.png`` with bad files among the good ones; a run that allows for them."""
    root = draw_class_folders(tmp_path_factory.mktemp("messy"), tiles=GOOD, seed=7)
    write_bad_files(root)
    parameters = {**FOLDERS, "folders_root": str(root), "model_name": "textures"}
    project = Project(tmp_path_factory.mktemp("messy_data"), parameters, tracking_uri)
    project.run("from_folders", max_quarantine_fraction=0.2)
    return project


def test_every_image_is_in_the_catalog_with_its_class(messy: Project) -> None:
    catalog = messy.table("03_primary/tile_catalog")
    root = Path(messy.parameters["folders_root"])
    images = {str(path) for path in root.rglob("*") if path.is_file() and path.suffix != ".txt"}
    assert set(catalog["href"]) == images
    assert catalog["image_id"].is_unique
    assert catalog["label"].tolist() == [Path(href).parent.name for href in catalog["href"]]
    assert (catalog["kind"] == "file").all()


def test_a_file_that_is_no_image_by_its_name_is_passed_over(messy: Project) -> None:
    catalog = messy.table("03_primary/tile_catalog")
    assert not catalog["href"].str.endswith(".txt").any()


def test_tiles_without_a_place_leave_the_spatial_columns_empty(messy: Project) -> None:
    catalog = messy.table("03_primary/tile_catalog")
    spatial = ["epsg", "xmin", "ymin", "xmax", "ymax", "lon", "lat", "row_off", "block_id"]
    assert catalog[spatial].isna().all(axis=None)


def test_a_folder_without_splits_is_divided_class_by_class(messy: Project) -> None:
    catalog = messy.table("03_primary/tile_catalog")
    counts = catalog.groupby(["label", "split"]).size().unstack(fill_value=0)
    assert set(counts.columns) == {"train", "validation", "test"}
    shares = counts.div(counts.sum(axis=1), axis=0)
    assert shares["test"].between(0.2, 0.3).all()
    assert shares["validation"].between(0.1, 0.2).all()


def test_folders_of_splits_are_kept(divided: Project) -> None:
    catalog = divided.table("03_primary/tile_catalog")
    in_folder = catalog["href"].str.extract(r"/(train|test)/")[0]
    assert set(catalog.loc[in_folder == "test", "split"]) == {"test"}
    assert set(catalog.loc[in_folder == "train", "split"]) == {"train", "validation"}
    validation = catalog[catalog["split"] == "validation"]
    assert set(validation["label"]) == {*CLASSES, ODD_NAME} - {"Plain"}


def test_a_forests_errors_are_explained(divided: Project) -> None:
    assert_errors_are_explained(divided)


def test_tiles_without_places_are_not_compared_with_a_random_split(divided: Project) -> None:
    metrics = divided.json("08_reporting/metrics.json")
    assert metrics["random_split"] is None
    assert "no coordinates" in metrics["random_split_skipped"]
    report = (divided.data / "08_reporting/report.html").read_text(encoding="utf-8")
    assert "Not compared with a random split" in report


def test_tiles_of_folders_are_explained(divided: Project, tmp_path: Path) -> None:
    """They have no year and no place."""
    copy = copy_of(divided, tmp_path)
    image = copy.table("07_model_output/predictions")["image_id"].iloc[0]
    copy.run("explain", explain={"tiles": image, "patches": 2, "neighbours": 1})
    page = (copy.data / "08_reporting/explained.html").read_text(encoding="utf-8")
    assert f'<h2 id="tile-1">{image}</h2>' in page


@pytest.mark.parametrize("name", ["messy", "divided"])
def test_easily_told_classes_are_told(name: str, request: pytest.FixtureRequest) -> None:
    metrics = request.getfixturevalue(name).json("08_reporting/metrics.json")
    assert metrics["models"][metrics["chosen"]]["test"]["accuracy"] >= 0.9
    assert metrics["baselines"]["majority"]["accuracy"] < 0.5


@pytest.mark.parametrize(("file", "reason"), BAD.items())
def test_a_bad_file_is_in_quarantine_with_its_reason(
    messy: Project, file: str, reason: str
) -> None:
    quarantine = messy.table("04_feature/quarantine")
    found = quarantine.loc[quarantine["href"].str.endswith(f"/{file}"), "reason"].tolist()
    assert len(found) == 1
    assert reason in found[0]


def test_a_bad_file_has_no_features_and_no_prediction(messy: Project) -> None:
    catalog = messy.table("03_primary/tile_catalog")
    bad = catalog["href"].str.endswith(tuple(BAD))
    assert bad.sum() == len(BAD)
    good = sorted(catalog.loc[~bad, "image_id"])
    assert sorted(messy.features()["image_id"]) == good
    assert sorted(messy.table("07_model_output/predictions")["image_id"]) == good
    assert len(pd.read_csv(messy.data / "07_model_output/predictions.csv")) == len(good)


def test_bad_files_are_counted_in_the_metrics_and_named_in_the_report(messy: Project) -> None:
    data = messy.json("08_reporting/metrics.json")["data"]
    assert data["quarantined"] == len(BAD)
    assert data["featurized"] == len(CLASSES) * GOOD
    page = (messy.data / "08_reporting/report.html").read_text(encoding="utf-8")
    assert "empty.png" in page


def test_too_many_bad_files_stop_the_run(messy: Project) -> None:
    message = messy.refusal(
        "--pipeline=from_folders",
        f"--params=folders_root={messy.parameters['folders_root']},model_name=another",
    )
    total = len(CLASSES) * GOOD + len(BAD)
    assert f"{len(BAD)} of {total} tiles" in message
    assert any(reason in message for reason in BAD.values())
    assert "max_quarantine_fraction" in message
    assert not (messy.data / "06_models" / "another").exists()


def test_predictions_csv_names_the_files(messy: Project) -> None:
    frame = pd.read_csv(messy.data / "07_model_output/predictions.csv")
    assert list(frame.columns) == ["filepath", "label", "pred_label"]
    assert all(Path(path).is_file() for path in frame["filepath"])
    assert frame["label"].tolist() == [Path(path).parent.name for path in frame["filepath"]]


def test_the_report_says_that_the_split_is_not_spatial(messy: Project) -> None:
    page = (messy.data / "08_reporting/report.html").read_text(encoding="utf-8")
    text = re.sub(r"<(style|script|svg)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert re.search(r"not spatial", text, flags=re.IGNORECASE)
    assert "neighbours look alike" in " ".join(text.split())
    check = messy.json("08_reporting/metrics.json")["data"]["split_check"]
    assert check["is_spatial"] is False
    assert check["smallest_distance_m"] is None
    assert not re.search(r"made[- ]up", text)


def test_a_name_like_markup_is_text_in_the_report(divided: Project) -> None:
    page = (divided.data / "08_reporting/report.html").read_text(encoding="utf-8")
    assert ODD_NAME not in page
    assert html.escape(ODD_NAME) in page
    assert ODD_NAME in divided.json("08_reporting/metrics.json")["data"]["class_by_split"]


@pytest.fixture
def placed(project: Project, tmp_path: Path) -> tuple[Project, Path]:
    """Class folders of 400 tiles that lie side by side, on no grid of ours."""
    root = draw_class_folders(tmp_path / "placed", tiles=100, seed=3, suffix=".jpg")
    rng = np.random.default_rng(6)
    names = rng.permutation(sorted(path.name for path in root.rglob("*.jpg")))
    write_summaries(
        root,
        {
            name: (500_077.7 + number % 20 * SIDE_M, 4_040_031.3 + number // 20 * SIDE_M)
            for number, name in enumerate(names)
        },
    )
    return project, root


def test_tiles_with_a_place_are_divided_by_place(placed: tuple[Project, Path]) -> None:
    project, root = placed
    project.run("from_folders", to_outputs=["split_check"], folders_root=str(root), year=2016)
    catalog = project.table("03_primary/tile_catalog")
    assert catalog[["epsg", "xmin", "ymax", "lon", "block_id"]].notna().all(axis=None)
    assert set(catalog["year"]) == {2016}
    assert set(catalog["split"].dropna()) == {"train", "validation", "test"}
    check = project.json("03_primary/split_check.json")
    assert check["is_spatial"] is True
    assert check["smallest_distance_m"] >= 224 - 0.01


def test_one_tile_without_a_place_makes_the_split_not_spatial(
    placed: tuple[Project, Path],
) -> None:
    project, root = placed
    table = root / "tile_summaries.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]))
    said = project.run("from_folders", to_outputs=["split_check"], folders_root=str(root))
    assert any("1 of 400 tile(s) have no row" in line for line in said)
    catalog = project.table("03_primary/tile_catalog")
    assert catalog["split"].notna().all()
    assert catalog["block_id"].isna().all()
    assert catalog["epsg"].notna().sum() == 399
    assert project.json("03_primary/split_check.json")["is_spatial"] is False
