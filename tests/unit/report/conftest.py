"""A report's content drawn from a seed, with everything that a report can show."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.models.comparison import ModelScores, TrainingSummary
from aerial_kedro.report.colours import LAND_COVER
from aerial_kedro.report.content import AreaRow, ChangeCandidate, ReportContent
from aerial_kedro.report.pictures import NO_DATA, MapImage, TilePicture
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary

CLASSES = ["Developed", "Barren", "Forest", "Shrub", "Herbaceous", "Cultivated"]
ON_MAP = [*CLASSES, "Water"]
TILE_KM2 = 0.224**2


def draw_tile(name: str, seed: int, size: int = 64) -> bytes:
    """Encode a textured square in the class's colour."""
    rng = np.random.default_rng(seed)
    colour = np.array([int(LAND_COVER[name][i : i + 2], 16) for i in (1, 3, 5)])
    grain = gaussian_filter(rng.normal(size=(size, size)), 1.5)
    pixels = np.clip(colour * 0.8 + 90 * grain[..., None] + 15, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def draw_evaluation(skill: float, n: int = 900, seed: int = 0, blocks: int = 24) -> Evaluation:
    """Evaluate a model that is right with about the given chance."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(CLASSES), size=n, p=[0.22, 0.05, 0.3, 0.1, 0.13, 0.2])
    scores = rng.gumbel(size=(n, len(CLASSES)))
    scores[np.arange(n), truth] += skill
    scores[:, 3] += (truth == 4) * skill / 3
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = [CLASSES[i] for i in truth]
    return evaluate(
        labels,
        [CLASSES[i] for i in chances.argmax(axis=1)],
        CLASSES,
        probabilities=chances,
        blocks=[f"b{i}" for i in rng.integers(blocks, size=n)],
        seed=seed,
    )


def draw_map(seed: int, rows: int = 48, columns: int = 64) -> MapImage:
    """Draw patches of land cover, with a corner that no tile covers."""
    rng = np.random.default_rng(seed)
    fields = [gaussian_filter(rng.normal(size=(rows, columns)), 4) for _ in ON_MAP]
    index = np.argmax(fields, axis=0).astype(np.uint8)
    confidence = np.clip(0.3 + 3 * np.ptp(fields, axis=0), 0, 1)
    index[:6, :9] = NO_DATA
    confidence[:6, :9] = np.nan
    return MapImage(
        class_index=index,
        classes=ON_MAP,
        extent=(310_000, 4_690_000, 310_000 + columns * 224, 4_690_000 + rows * 224),
        crs="NAD83 / UTM zone 19N (EPSG:26919)",
        confidence=confidence,
    )


def area_rows(map_image: MapImage) -> list[AreaRow]:
    counts = np.array([(map_image.class_index == i).sum() for i in range(len(ON_MAP))])
    return [
        AreaRow(
            class_name=name,
            count=int(n),
            area_km2=n * TILE_KM2,
            share=n / counts.sum(),
            adjusted_km2=None if name == "Water" else n * TILE_KM2 * 0.96,
            adjusted_interval=None
            if name == "Water"
            else Interval(lower=n * TILE_KM2 * 0.85, upper=n * TILE_KM2 * 1.07),
        )
        for name, n in zip(ON_MAP, counts.tolist(), strict=True)
    ]


def draw_catalog() -> CatalogSummary:
    return CatalogSummary(
        images=6_012,
        places=3_024,
        sources=12,
        by_year={"2010": 3_001, "2016": 3_011},
        by_split={"train": 2_104, "validation": 620, "test": 900, "none": 2_388},
        by_label={
            "labelled": 3_624,
            "mixed": 2_180,
            "outside the land cover": 190,
            "no data in the image": 18,
        },
        class_by_split={
            name: {"train": 700 - 90 * i, "validation": 150 - 18 * i, "test": 180 - 20 * i}
            for i, name in enumerate(CLASSES)
        },
    )


def draw_quarantine() -> QuarantineSummary:
    href = "data/01_raw/scenes/m_4207117_ne_19_1_20160709.tif"
    reason = "tile could not be read: the file ends before its last strip"
    return QuarantineSummary(
        tiles=6_012,
        quarantined=2,
        reasons={reason: 2},
        examples=[(f"utm19-1402-2094{i}-2016", href, reason) for i in range(2)],
    )


def draw_pictures(count: int, wrong: bool = False) -> dict[str, list[TilePicture]]:
    rng = np.random.default_rng(3)
    return {
        name: [
            TilePicture(
                picture=draw_tile(name, seed=10 * number + i),
                label=name,
                predicted=CLASSES[(number + 1) % 6] if wrong or i == count - 1 else name,
                probability=float(rng.uniform(0.6, 1)),
                image_id=f"utm19-14{number}-209{i}-2016",
            )
            for i in range(count)
        ]
        for number, name in enumerate(CLASSES)
    }


@pytest.fixture(scope="session")
def full_content() -> ReportContent:
    return draw_content()


@pytest.fixture(scope="session")
def short_content(full_content: ReportContent) -> ReportContent:
    """Without the charts of models and the pictures, for tests of other sections."""
    left_out = {"training": None, "subsets": {}, "gallery": {}, "worst_errors": []}
    return full_content.model_copy(update=left_out)


def draw_content() -> ReportContent:
    before, after = draw_map(1), draw_map(2)
    rng = np.random.default_rng(5)
    changes = rng.integers(0, 40, size=(7, 7)) + np.diag([300] * 7)
    test = draw_evaluation(3.2)
    labels = [
        name for name, row in zip(CLASSES, test.confusion, strict=True) for _ in range(sum(row))
    ]
    blocks = [str(i % 24) for i in range(len(labels))]
    return ReportContent(
        title="Land cover of a made-up county",
        created="22 November 2026, 16:40 UTC",
        made_up_seed=7,
        facts={
            "Scenes": "data/01_raw/scenes (12 files)",
            "Land cover": "data/01_raw/land_cover/nlcd_2016.tif",
            "Years": "2010, 2016",
            "Tile size": "224 m",
            "Backbone": "efficientnet_lite0 (1,280 features, 224 px)",
            "Weights sha256": "579344248a93e230" * 4,
            "Engine": "onnxruntime, fp32",
            "Feature key": "a71c0f02d9b3",
            "Seed": "7",
            "Versions": "kedro 1.7.0, pyspark 3.5.9, onnxruntime 1.31.1",
            "Model": "efficientnet_lite0-logistic_regression-20261122-1640",
        },
        catalog=draw_catalog(),
        quarantine=draw_quarantine(),
        split=SplitCheck(
            description="spatial blocks of 2,240 m with a buffer of 448 m",
            is_spatial=True,
            smallest_distance_m=672,
            required_distance_m=448,
        ),
        gallery=draw_pictures(7),
        training=TrainingSummary(
            models={
                "logistic_regression": ModelScores(
                    test=test,
                    validation=draw_evaluation(3.4, n=620, seed=1),
                    out_of_fold=draw_evaluation(3.4, n=620, seed=8),
                ),
                "random_forest": ModelScores(
                    test=draw_evaluation(2.2, seed=2),
                    validation=draw_evaluation(2.3, n=620, seed=3),
                    out_of_fold=draw_evaluation(2.3, n=620, seed=9),
                ),
            },
            chosen="logistic_regression",
            reason="macro-F1 of 0.960, against random_forest 0.940",
            baselines={
                "majority": evaluate(labels, ["Forest"] * len(labels), CLASSES, blocks=blocks),
                "image_statistics": draw_evaluation(1.1, seed=4),
            },
        ),
        subsets={"mixed tiles (no class reaches the purity)": draw_evaluation(1.9, seed=6)},
        maps={"2010": before, "2016": after},
        areas={"2010": area_rows(before), "2016": area_rows(after)},
        change=ChangeSummary(
            before=2010,
            after=2016,
            classes=ON_MAP,
            counts=changes.tolist(),
            places=int(changes.sum()),
        ),
        change_candidates=[
            ChangeCandidate(
                tile_id=f"utm19-1402-2093{i}",
                before_class="Forest",
                after_class="Developed",
                probability=0.97 - 0.04 * i,
                before=draw_tile("Forest", i),
                after=draw_tile("Developed", i + 50),
                lon=-71.4 + i / 100,
                lat=42.3,
            )
            for i in range(6)
        ],
        worst_errors=[tiles[0] for tiles in draw_pictures(1, wrong=True).values()],
        caveats=[
            "Training used pure tiles only. Mixed tiles are mapped too, with a lower accuracy.",
            "The reference is NLCD, which is itself right for about 83 % of the land.",
        ],
    )
