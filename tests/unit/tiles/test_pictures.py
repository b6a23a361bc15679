import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import tiles_of_scene
from aerial_kedro.tiles.reading import PICTURE_COLUMNS, SOURCE_COLUMNS, picture_tiles
from tests.builders import read_scene_header, write_scene


def catalog(path: Path) -> pd.DataFrame:
    with SceneReader() as reader:
        return tiles_of_scene(read_scene_header(path), 224.0, reader)[SOURCE_COLUMNS]


def pixels_of(picture: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(picture), formats=["JPEG"]) as image:
        return np.asarray(image).astype(int)


def test_tiles_become_pictures_of_the_size_asked_for(tmp_path: Path) -> None:
    near = write_scene(tmp_path / "a.tif")
    warped = write_scene(tmp_path / "b.tif", crs="EPSG:26917")
    file = tmp_path / "c.png"
    colour = np.zeros((64, 64, 3), dtype=np.uint8)
    colour[:32] = [200, 100, 50]
    Image.fromarray(colour).save(file)
    tile = pd.DataFrame([{"image_id": "c", "href": str(file), "kind": "file"}])
    frames = [catalog(near), pd.concat([catalog(warped).iloc[:1], tile])]
    first, second = picture_tiles(iter(frames), 32)
    assert list(first.columns) == list(PICTURE_COLUMNS)
    assert first["image_id"].tolist() == frames[0]["image_id"].tolist()
    assert second["image_id"].tolist() == [frames[1]["image_id"].iloc[0], "c"]
    pictures = [pixels_of(each) for each in [*first["picture"], *second["picture"]]]
    assert {each.shape for each in pictures} == {(32, 32, 3)}
    assert all(each.std() > 5 for each in pictures)
    assert np.abs(pictures[-1][4, 4] - [200, 100, 50]).max() < 10


def test_tiles_that_cannot_be_read_any_more_have_no_picture(tmp_path: Path) -> None:
    tiles = catalog(write_scene(tmp_path / "a.tif"))
    gone = tiles.assign(href=str(tmp_path / "gone.tif"))
    (pictures,) = picture_tiles(iter([pd.concat([gone.iloc[:2], tiles.iloc[2:3]])]), 16)
    assert pictures["image_id"].tolist() == [tiles["image_id"].iloc[2]]
    (none,) = picture_tiles(iter([gone]), 16)
    assert none.empty
    assert list(none.columns) == list(PICTURE_COLUMNS)
