"""The engine `synapseml`, by the command, in a process and a Spark session of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageCms

from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.featurize import image_statistics
from aerial_kedro.features.precision_loss import smallest_cosine
from aerial_kedro.tiles.reading import read_image_file
from tests.integration.kedro_project import PROJECT, Project
from tests.integration.test_class_folders import encode_png16

pytestmark = pytest.mark.synapseml

SIDE = 224
# As between the other engines: the greatest difference as a share of the greatest feature.
TOLERANCE = 1e-3


def _noise(rng: np.random.Generator, side: int = SIDE) -> Image.Image:
    coarse = rng.integers(0, 256, (side // 4, side // 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def write_tiles(root: Path) -> None:
    """Write images of every kind that both take: names with what Spark would read as a pattern."""
    rng = np.random.default_rng(5)
    for name in ("Forest", "Shrub [old] 50%"):
        folder = root / name
        folder.mkdir(parents=True)
        for number in range(4):
            _noise(rng).save(folder / f"{number}.png")
        _noise(rng).save(folder / "a b.jpg", quality=90)
        _noise(rng).save(folder / "fine.jpeg", quality=95, subsampling=0)
        _noise(rng).save(folder / "steps.jpg", progressive=True)
        _noise(rng).convert("L").save(folder / "grey.png")
        _noise(rng).convert("L").save(folder / "grey.jpg")
        _noise(rng).convert("RGBA").save(folder / "alpha.png")
        _noise(rng).quantize(16).save(folder / "palette.png")


BAD = {
    "empty.png": "nothing there: the file is empty",
    "deep.png": "16-bit values; 8-bit RGB or grey is needed",
    "print.jpg": "the image is CMYK",
    "camera.jpg": "has a colour profile",
    "cut.jpg": "the image is broken",
    "cut.png": "the image is broken",
    "text.png": "not a PNG or JPEG image",
    "small.png": "64 × 64 pixels; engine=synapseml takes 224 × 224, other engines any size",
}


def write_bad_files(folder: Path) -> None:
    rng = np.random.default_rng(6)
    (folder / "empty.png").write_bytes(b"")
    (folder / "deep.png").write_bytes(
        encode_png16(rng.integers(0, 65536, (SIDE, SIDE, 3), dtype=np.uint16))
    )
    _noise(rng).convert("CMYK").save(folder / "print.jpg")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _noise(rng).save(folder / "camera.jpg", icc_profile=profile)
    (folder / "cut.jpg").write_bytes((folder / "a b.jpg").read_bytes()[:3000])
    (folder / "cut.png").write_bytes((folder / "0.png").read_bytes()[:3000])
    (folder / "text.png").write_text("no picture")
    _noise(rng, 64).save(folder / "small.png")


@pytest.fixture(scope="module")
def featurized(
    _kedro: None, tmp_path_factory: pytest.TempPathFactory, tracking_uri: str
) -> Project:
    """``engine=synapseml`` where no executor has a Python, on a catalog made before."""
    folder = tmp_path_factory.mktemp("featurizer")
    write_tiles(folder / "tiles")
    write_bad_files(folder / "tiles" / "Forest")
    project = Project(folder / "data", {"folders_root": str(folder / "tiles")}, tracking_uri)
    project.run("from_folders", to_outputs=["tile_catalog"])
    given = "--params=engine=synapseml,max_quarantine_fraction=1"
    arguments = ["--pipeline=featurization", "--to-outputs=quarantine_summary", given]
    packages = f"--conf spark.jars.ivy={PROJECT / 'build/ivy'} pyspark-shell"
    without_python = {"PYSPARK_PYTHON": "/bin/false", "PYSPARK_SUBMIT_ARGS": packages}
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "kedro", "run", "--env=base", *arguments],
            cwd=PROJECT,
            env={**os.environ, **project.variables(), **without_python},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        if list((PROJECT / "build/ivy").glob("jars/*synapseml-deep-learning*.jar")):
            raise
        pytest.skip("SynapseML's Java parts did not come within five minutes")
    said = answer.stdout + answer.stderr
    if "could not be fetched" in said:
        assert "Or run engine=onnxruntime or engine=openvino" in said
        pytest.skip("SynapseML's Java parts cannot be had: Spark could not fetch the packages")
    assert answer.returncode == 0, said
    return project


@pytest.fixture(scope="module")
def found(featurized: Project) -> pd.DataFrame:
    """Features by ``href``."""
    catalog = featurized.table("03_primary/tile_catalog").set_index("image_id")
    features = featurized.features().set_index("image_id")
    return features.join(catalog[["href"]]).set_index("href")


@pytest.fixture(scope="module")
def pixels(found: pd.DataFrame) -> np.ndarray:
    return np.stack([read_image_file(href, SIDE) for href in found.index])


def test_every_kind_of_image_has_features(found: pd.DataFrame, featurized: Project) -> None:
    catalog = featurized.table("03_primary/tile_catalog")
    assert len(found) == 22
    assert {Path(href).name for href in set(catalog["href"]) - set(found.index)} == set(BAD)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_features_are_those_of_other_engines(
    engine: str, found: pd.DataFrame, pixels: np.ndarray, featurized: Project
) -> None:
    network = (featurized.data / "06_models/backbone.onnx").read_bytes()
    opened = open_engine(engine, "fp32", network)
    expected = np.concatenate([opened.run(tile[None]) for tile in pixels])
    features = np.stack(found["features"])
    assert features.dtype == expected.dtype == np.float32
    assert smallest_cosine(features, expected) > 0.9999
    assert np.abs(features - expected).max() < TOLERANCE * np.abs(expected).max()


def test_image_statistics_are_the_same(found: pd.DataFrame, pixels: np.ndarray) -> None:
    assert np.stack(found["statistics"]) == pytest.approx(image_statistics(pixels), abs=1e-5)


def test_what_it_cannot_take_is_in_quarantine_with_the_reason(featurized: Project) -> None:
    quarantine = featurized.table("04_feature/quarantine")
    reasons = {Path(row.href).name: row.reason for row in quarantine.itertuples()}
    assert sorted(reasons) == sorted(BAD)
    for name, reason in BAD.items():
        assert reason in reasons[name]
