"""The main job, end to end, on a tiny made-up county: what is there afterwards, and is it true."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import product
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from kedro.runner import ThreadRunner
from pyproj import Geod, Transformer

from aerial_kedro.cells.grid import unpack
from aerial_kedro.examples.county.landcover import TRUTH_CODES
from tests.integration.kedro_project import COUNTY, Project

YEARS = (2012, 2018)
# As the design lays them down; a table may have more.
CATALOG_COLUMNS = set(
    "image_id tile_id href kind row_off col_off height width epsg xmin ymin xmax ymax lon lat "  # noqa: SIM905
    "gsd_m year nodata_fraction label purity fractions label_year year_gap block_id split "
    "cell_labels cell_purity cell_split".split()
)
OUTPUTS = (
    "03_primary/tile_catalog",
    "04_feature/tile_features",
    "04_feature/quarantine",
    "06_models/backbone.onnx",
    "06_models/backbone.json",
    "07_model_output/test_predictions",
    "07_model_output/predictions",
    "07_model_output/predictions.csv",
    "07_model_output/map_2012.tif",
    "07_model_output/map_2018.tif",
    "07_model_output/tiles.parquet",
    "07_model_output/change.parquet",
    "08_reporting/metrics.json",
    "08_reporting/report.html",
)


@pytest.fixture(scope="module")
def catalog(county: Project) -> pd.DataFrame:
    return county.table("03_primary/tile_catalog")


@pytest.fixture(scope="module")
def features(county: Project) -> pd.DataFrame:
    return county.features()


@pytest.fixture(scope="module")
def predictions(county: Project) -> pd.DataFrame:
    return county.table("07_model_output/predictions")


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_is_there(county: Project, output: str) -> None:
    path = county.data / output
    assert path.is_dir() or path.stat().st_size > 0


def test_the_catalog_has_the_columns_of_the_contract(catalog: pd.DataFrame) -> None:
    assert set(catalog.columns) >= CATALOG_COLUMNS


def test_an_image_is_in_the_catalog_once(catalog: pd.DataFrame) -> None:
    assert catalog["image_id"].is_unique
    assert not catalog.duplicated(["tile_id", "year"]).any()


def test_identifiers_are_safe_in_file_names(catalog: pd.DataFrame) -> None:
    assert catalog["tile_id"].str.fullmatch(r"[a-z0-9_-]+").all()
    assert catalog["image_id"].str.fullmatch(r"[a-z0-9_-]+").all()


def test_a_place_has_the_same_name_in_both_years(catalog: pd.DataFrame) -> None:
    first, second = (set(catalog.loc[catalog["year"] == year, "tile_id"]) for year in YEARS)
    assert first == second
    bounds = catalog.groupby("tile_id")[["epsg", "xmin", "ymin", "xmax", "ymax"]].nunique()
    assert (bounds == 1).all(axis=None)


def test_tiles_have_their_size_and_lie_on_the_grid_of_their_zone(catalog: pd.DataFrame) -> None:
    size = COUNTY["tile_size_m"]
    assert (catalog["xmax"] - catalog["xmin"] == size).all()
    assert (catalog["ymax"] - catalog["ymin"] == size).all()
    assert (catalog[["xmin", "ymin"]] % size == 0).all(axis=None)


def test_no_place_appears_twice_at_the_zone_border(catalog: pd.DataFrame) -> None:
    """The grids of two zones meet at an angle; no tile's centre lies in a tile of the other."""
    assert set(catalog["epsg"]) == {26917, 26918}
    places = catalog[catalog["year"] == YEARS[0]].reset_index(drop=True)
    squares = in_one_crs(places)
    first, second = shapely.STRtree(squares).query(shapely.centroid(squares), predicate="within")
    doubled = [
        f"{places['tile_id'][a]} in {places['tile_id'][b]}"
        for a, b in zip(first, second, strict=True)
        if a != b
    ]
    assert doubled == []


def test_a_label_is_the_majority_class_where_it_is_pure_enough(catalog: pd.DataFrame) -> None:
    covered = catalog[catalog["fractions"].notna()]
    shares = [dict(pairs) for pairs in covered["fractions"]]
    assert all(0.99 <= sum(each.values()) <= 1.001 for each in shares)
    majority = [max(each, key=lambda name: each[name]) for each in shares]
    purity = np.array([max(each.values()) for each in shares])
    np.testing.assert_allclose(covered["purity"], purity)
    expected = [
        name if share >= 0.7 else None for name, share in zip(majority, purity, strict=True)
    ]
    assert covered["label"].astype(object).where(covered["label"].notna(), None).tolist() == (
        expected
    )


def test_cells_have_the_labels_of_their_tiles_land_cover(catalog: pd.DataFrame) -> None:
    """The classes of a tile's cells are about its shares, and all the same where it is pure."""
    labels, purity = (unpack(list(catalog[name])) for name in ("cell_labels", "cell_purity"))
    assert ((labels > 0) == (purity > 0)).all()
    covered = catalog["fractions"].notna().to_numpy()
    assert (labels[covered] > 0).mean() > 0.99
    assert not labels[~covered].any()
    names = ["Barren", "Forest", "Shrub", "Cultivated", "Herbaceous", "Developed", "Water"]
    position = {name: 1 + at for at, name in enumerate(names)}
    for tile, cells in zip(catalog[covered]["fractions"], labels[covered], strict=True):
        for name, share in dict(tile).items():
            assert (cells == position[name]).mean() == pytest.approx(share, abs=0.35)
            if share > 0.999:
                assert (cells == position[name]).all()


def test_the_split_of_the_ground_is_that_of_labelled_tiles_and_more(catalog: pd.DataFrame) -> None:
    labelled = catalog[catalog["split"].notna()]
    assert (labelled["split"] == labelled["cell_split"]).all()
    mixed = catalog["label"].isna() & catalog["fractions"].notna()
    assert catalog.loc[mixed, "split"].isna().all()
    assert catalog.loc[mixed, "cell_split"].notna().mean() > 0.4


def test_labels_are_of_the_nearest_land_cover_year(catalog: pd.DataFrame) -> None:
    covered = catalog[catalog["label_year"].notna()]
    assert dict(zip(covered["year"], covered["label_year"], strict=True)) == {
        2012: 2011,
        2018: 2019,
    }
    assert (covered["year_gap"] == 1).all()


def test_labels_agree_with_the_truth_that_the_county_was_drawn_from(
    county: Project, catalog: pd.DataFrame
) -> None:
    """Most labels are the class that the county has at the tile's centre, by a way of its own."""
    names = {value: str(name) for name, value in TRUTH_CODES.items()}
    right = []
    for year, labelled in catalog.dropna(subset=["label"]).groupby("year"):
        with rasterio.open(county.data / f"01_raw/sample/truth/truth_{year}.tif") as truth:
            x, y = Transformer.from_crs(4326, truth.crs, always_xy=True).transform(
                labelled["lon"], labelled["lat"]
            )
            found = [names.get(int(code[0])) for code in truth.sample(zip(x, y, strict=True))]
        right += [a == b for a, b in zip(labelled["label"], found, strict=True)]
    assert np.mean(right) > 0.75


def test_features_are_whole(features: pd.DataFrame) -> None:
    values = np.stack(features["features"].to_numpy())
    assert values.shape == (len(features), 1792)
    assert np.isfinite(values).all()
    assert values.any(axis=1).all()
    assert np.isfinite(np.stack(features["statistics"].to_numpy())).all()


def test_each_readable_tile_has_features_or_is_in_quarantine(
    county: Project, catalog: pd.DataFrame, features: pd.DataFrame
) -> None:
    readable = catalog[catalog["nodata_fraction"] <= 0.05]
    quarantine = county.table("04_feature/quarantine")
    assert 0 < len(readable) < len(catalog)
    found = [*features["image_id"], *quarantine["image_id"]]
    assert sorted(found) == sorted(readable["image_id"])


def test_tiles_without_image_are_neither_trained_on_nor_mapped(
    catalog: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    empty = catalog.loc[catalog["nodata_fraction"] > 0.05, "image_id"]
    assert len(empty)
    assert not set(empty) & set(predictions["image_id"])


def test_the_backbone_is_the_file_that_its_card_describes(county: Project) -> None:
    card = county.json("06_models/backbone.json")
    onnx = (county.data / "06_models/backbone.onnx").read_bytes()
    assert card["onnx_sha256"] == hashlib.sha256(onnx).hexdigest()
    assert card["parity_cosine"] > 0.9999
    assert card["weights_sha256"].startswith("579344248a93e230")
    assert card["n_features"] == 1792


def test_the_splits_are_three_and_each_place_is_in_one(catalog: pd.DataFrame) -> None:
    places = catalog.dropna(subset=["split"])
    assert set(places["split"]) == {"train", "validation", "test"}
    assert (places.groupby("tile_id")["split"].nunique() == 1).all()


def test_only_labelled_tiles_of_trained_classes_are_in_a_split(catalog: pd.DataFrame) -> None:
    assert "Water" in set(catalog["label"].dropna())
    labels = catalog.loc[catalog["split"].notna(), "label"]
    assert labels.notna().all()
    assert "Water" not in set(labels)


@pytest.mark.parametrize(
    ("first", "second"), [("test", "train"), ("test", "validation"), ("validation", "train")]
)
def test_splits_keep_their_distance_on_the_ground(
    catalog: pd.DataFrame, first: str, second: str
) -> None:
    distance = least_distance_m(
        catalog[catalog["split"] == first], catalog[catalog["split"] == second]
    )
    assert distance >= 0.995 * COUNTY["split"]["buffer_m"]


def least_distance_m(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Least geodesic distance between the edges of two sets of tiles, by their nearest points."""
    squares = [in_one_crs(each.drop_duplicates("tile_id")) for each in (one, other)]
    to_degrees = Transformer.from_crs(26918, 4326, always_xy=True)
    geod = Geod(ellps="GRS80")
    distances = []
    for a, b in product(*squares):
        (x0, y0), (x1, y1) = shapely.shortest_line(a, b).coords
        lons, lats = to_degrees.transform([x0, x1], [y0, y1])
        distances.append(geod.inv(lons[0], lats[0], lons[1], lats[1])[2])
    return min(distances)


def in_one_crs(tiles: pd.DataFrame) -> np.ndarray:
    squares = []
    for tile in tiles.itertuples():
        to_main = Transformer.from_crs(int(tile.epsg), 26918, always_xy=True)
        square = shapely.box(tile.xmin, tile.ymin, tile.xmax, tile.ymax)
        squares.append(shapely.transform(square, to_main.transform, interleaved=False))
    return np.array(squares)


def test_predictions_are_of_every_tile_with_features(
    features: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    assert sorted(predictions["image_id"]) == sorted(features["image_id"])


def test_a_prediction_is_the_class_with_the_highest_probability(
    predictions: pd.DataFrame,
) -> None:
    by_model = predictions[predictions["decided_by"] == "model"]
    assert len(by_model)
    for row in by_model.itertuples():
        chances = dict(row.probabilities)
        assert sum(chances.values()) == pytest.approx(1)
        assert chances[row.pred_label] == max(chances.values()) == pytest.approx(row.probability)


def test_water_keeps_the_class_that_the_land_cover_gives_it(
    catalog: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    water = predictions[predictions["label"] == "Water"]
    assert len(water)
    assert (water["pred_label"] == "Water").all()
    assert (water["decided_by"] != "model").all()
    assert water["probability"].isna().all()
    readable = (catalog["label"] == "Water") & (catalog["nodata_fraction"] <= 0.05)
    assert len(water) == readable.sum()


def test_test_predictions_are_those_of_the_test_split(
    county: Project, predictions: pd.DataFrame
) -> None:
    found = county.table("07_model_output/test_predictions")
    expected = predictions[predictions["split"] == "test"]
    assert len(expected)
    assert sorted(found["image_id"]) == sorted(expected["image_id"])


def test_predictions_csv_has_the_samples_format(county: Project, predictions: pd.DataFrame) -> None:
    path = county.data / "07_model_output/predictions.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "filepath,label,pred_label"
    frame = pd.read_csv(path)
    assert frame["filepath"].is_unique
    assert len(frame) == len(predictions)
    assert frame["pred_label"].notna().all()
    assert sorted(frame["label"].dropna()) == sorted(predictions["label"].dropna())


@pytest.mark.parametrize("year", YEARS)
def test_the_map_shows_each_cell_where_it_lies(county: Project, year: int) -> None:
    (card,) = (county.data / "06_models/cells").glob("*/model.json")
    classes = json.loads(card.read_text(encoding="utf-8"))["classes"]
    cells = county.table("07_model_output/cell_predictions")
    of_year = cells[cells["year"] == year].reset_index(drop=True)
    size = COUNTY["tile_size_m"] / 7
    with rasterio.open(county.data / f"07_model_output/map_{year}.tif") as raster:
        assert raster.nodata == 0
        assert raster.res == (size, size)
        assert raster.transform.c % COUNTY["tile_size_m"] == 0
        assert raster.transform.f % COUNTY["tile_size_m"] == 0
        names = dict(part.split(" ") for part in raster.tags()["CLASSES"].split(", "))
        own = of_year[of_year["epsg"] == raster.crs.to_epsg()]
        assert len(own)
        predicted, percent = (
            unpack(list(own[name])) for name in ("cell_classes", "cell_confidence")
        )
        for row, column in product(range(7), range(7)):
            x, y = own["xmin"] + (column + 0.5) * size, own["ymax"] - (row + 0.5) * size
            shown = [
                [int(value) for value in each]
                for each in raster.sample(zip(x, y, strict=True), indexes=[1, 2])
            ]
            expected = [
                (classes[each - 1] if sure >= 50 else "Unsure", sure)
                for each, sure in zip(
                    predicted[:, row, column].tolist(),
                    percent[:, row, column].tolist(),
                    strict=True,
                )
            ]
            assert [(names[str(value)], sure) for value, sure in shown] == expected
        count = int((raster.read(1) != 0).sum())
    # The other zone's tiles are on it too.
    assert count == pytest.approx(49 * len(of_year), rel=0.1)


@pytest.mark.parametrize("year", YEARS)
def test_tiles_have_the_shares_that_their_cells_have(county: Project, year: int) -> None:
    tiles = gpd.read_parquet(county.data / "07_model_output/tiles.parquet")
    cells = county.table("07_model_output/cell_predictions").set_index("image_id")
    shares = [name for name in tiles.columns if name.startswith("share_")]
    of_year = tiles[tiles["year"] == year]
    assert len(of_year)
    np.testing.assert_allclose(of_year[shares].sum(axis=1), 1)
    for tile in of_year.to_dict("records"):
        expected = dict(cells.loc[tile["image_id"], "shares"])
        assert {name: tile[f"share_{name}"] for name in expected} == pytest.approx(expected)
        assert tile["class_by_cells"] == cells.loc[tile["image_id"], "class_by_cells"]


def test_tiles_open_in_geopandas(county: Project, predictions: pd.DataFrame) -> None:
    tiles = gpd.read_parquet(county.data / "07_model_output/tiles.parquet")
    assert tiles.crs is not None
    assert len(tiles) == len(predictions)
    assert {"image_id", "tile_id", "year", "pred_label", "probability", "mapped_class"} <= set(
        tiles.columns
    )
    merged = tiles.merge(predictions[["image_id", "lon", "lat"]], on="image_id")
    centres = gpd.points_from_xy(merged["lon"], merged["lat"], crs=4326).to_crs(merged.crs)
    assert merged.geometry.contains(gpd.GeoSeries(centres, index=merged.index)).all()
    metres = tiles.to_crs(5070).area
    np.testing.assert_allclose(metres, COUNTY["tile_size_m"] ** 2, rtol=0.01)


def test_metrics_have_the_keys_of_the_contract(county: Project) -> None:
    metrics = county.json("08_reporting/metrics.json")
    assert {"data", "models", "chosen", "baselines"} <= set(metrics)
    assert set(metrics["models"]) == {"logistic_regression", "random_forest"}
    assert metrics["chosen"] in metrics["models"]
    assert set(metrics["baselines"]) == {"majority", "image_statistics"}
    for scores in metrics["models"].values():
        for split in ("validation", "test"):
            assert 0 <= scores[split]["accuracy"] <= 1
            assert 0 <= scores[split]["macro_f1"] <= 1
        for figures in scores["test"]["per_class"].values():
            assert {"users_accuracy", "producers_accuracy", "support"} <= set(figures)


def test_metrics_are_those_of_the_test_predictions(county: Project) -> None:
    metrics = county.json("08_reporting/metrics.json")
    found = county.table("07_model_output/test_predictions")
    test = metrics["models"][metrics["chosen"]]["test"]
    right = found["label"] == found["pred_label"]
    assert test["accuracy"] == pytest.approx(right.mean())
    for name, figures in test["per_class"].items():
        reference, answered = found["label"] == name, found["pred_label"] == name
        assert figures["support"] == reference.sum()
        assert figures["producers_accuracy"] == (
            pytest.approx(right[reference].mean()) if reference.any() else None
        )
        assert figures["users_accuracy"] == (
            pytest.approx(right[answered].mean()) if answered.any() else None
        )


def test_metrics_count_what_the_catalog_holds(county: Project, catalog: pd.DataFrame) -> None:
    data = county.json("08_reporting/metrics.json")["data"]
    assert data["images"] == len(catalog)
    assert data["places"] == catalog["tile_id"].nunique()
    assert data["by_year"] == {str(year): int((catalog["year"] == year).sum()) for year in YEARS}
    for split in ("train", "validation", "test"):
        assert data["by_split"][split] == (catalog["split"] == split).sum()


def test_the_report_needs_no_other_file_and_no_network(county: Project) -> None:
    page = (county.data / "08_reporting/report.html").read_text(encoding="utf-8")
    sources = re.findall(r"""(?:src|href|action|data|poster)\s*=\s*["']([^"']*)""", page)
    sources += re.findall(r"""url\(\s*["']?([^"')]*)""", page)
    assert sources
    assert [each[:60] for each in sources if not each.startswith(("data:", "#"))] == []
    assert "@import" not in page
    assert "<link" not in page


def test_the_report_says_that_the_county_is_made_up(county: Project) -> None:
    page = (county.data / "08_reporting/report.html").read_text(encoding="utf-8")
    text = re.sub(r"<(style|script|svg)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert re.search(r"made[- ]up", text)
    assert str(COUNTY["seed"]) in text


def test_the_report_says_what_a_pixel_of_the_network_covers(county: Project) -> None:
    """Tiles of 112 m of scenes of 1 m fill 224 pixels: finer than there is anything to see."""
    page = (county.data / "08_reporting/report.html").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "Ground sample distance of the network 0.5 m a pixel (input 224 px)" in text
    assert "pixels of 0.5 m, finer than scenes of 1 m" in text
    assert county.json("08_reporting/metrics.json")["model"]["gsd_m"] == 0.5


def test_the_user_is_told_where_the_report_is(county: Project) -> None:
    said = county.run("reporting")
    assert f"Report: {county.data / '08_reporting/report.html'}" in said


@pytest.fixture(scope="module")
def again(county: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same county with the same seed, once more, two nodes at a time, in another folder."""
    sample = county.data / "01_raw/sample"
    again = Project(
        tmp_path_factory.mktemp("again"),
        {
            **COUNTY,
            "scenes_root": str(sample / "scenes"),
            "landcover_path": str(sample / "land_cover"),
            # The others would be trained for nothing.
            "classifier": county.json("08_reporting/metrics.json")["chosen"],
        },
        tracking_uri=f"sqlite:///{county.data / 'mlflow/mlflow.db'}",
    )
    again.run(to_outputs=["predictions_csv"], runner=ThreadRunner(max_workers=2))
    return again


def test_the_same_seed_gives_the_same_splits(again: Project, catalog: pd.DataFrame) -> None:
    columns = ["image_id", "block_id", "label", "split"]
    pd.testing.assert_frame_equal(
        ordered(again.table("03_primary/tile_catalog")[columns]), ordered(catalog[columns])
    )


def test_the_same_seed_gives_the_same_predictions(
    again: Project, predictions: pd.DataFrame
) -> None:
    columns = ["image_id", "pred_label", "probability"]
    pd.testing.assert_frame_equal(
        ordered(again.table("07_model_output/predictions")[columns]), ordered(predictions[columns])
    )


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("image_id", ignore_index=True)


def test_the_same_seed_draws_the_same_county(county: Project, project: Project) -> None:
    """Pixel for pixel; another seed draws another one."""
    again = Project(project.data, county.parameters, project.tracking_uri)
    again.run("sample_data")
    names = sorted(path.name for path in (county.data / "01_raw/sample/scenes").glob("*.tif"))
    assert len(names) == 6
    for name in names:
        first, second = (
            read_pixels(each.data / "01_raw/sample/scenes" / name) for each in (county, again)
        )
        np.testing.assert_array_equal(first, second)


def read_pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()
