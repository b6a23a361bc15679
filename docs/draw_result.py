"""Draw `docs/images/result.png` from a finished run: `python docs/draw_result.py DATA`."""

import sys
from pathlib import Path

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import rasterio
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

IMAGES = Path(__file__).parent / "images"
YEAR = 2018
PIXEL_M = 8


def draw(data: Path) -> None:
    """Draw imagery, the map of cells and one class a tile side by side."""
    with rasterio.open(data / f"07_model_output/map_{YEAR}.tif") as file:
        shown, transform = file.read(1), file.transform
        crs, bounds, colours = file.crs, file.bounds, file.colormap(1)
        names = dict(each.split(" ", 1) for each in file.tags()["CLASSES"].split(", "))
    rows, columns = (
        round(side / PIXEL_M) for side in (bounds.top - bounds.bottom, bounds.right - bounds.left)
    )
    grid = {"crs": crs, "transform": from_bounds(*bounds, columns, rows), "width": columns}
    imagery = np.zeros((3, rows, columns), np.uint8)
    for path in sorted((data / "01_raw/sample/scenes").glob(f"*_{YEAR}*.tif")):
        with (
            rasterio.open(path) as scene,
            WarpedVRT(scene, height=rows, resampling=Resampling.average, **grid) as warped,
        ):
            read = warped.read((1, 2, 3))
        imagery = np.where(imagery.any(axis=0), imagery, read)
    values = {name: int(value) for value, name in names.items()}
    tiles = gpd.read_parquet(data / "07_model_output/tiles.parquet").to_crs(crs)
    own = tiles[tiles["year"] == YEAR]
    squares = zip(own.geometry, own["mapped_class"].map(values), strict=True)
    by_tile = rasterize(squares, shown.shape, transform=transform, dtype=np.uint8)

    paper = np.where(imagery.any(axis=0), imagery, 255)
    scaled = [tuple(part / 255 for part in colours[value]) for value in range(len(names) + 1)]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 4.3), layout="constrained")
    left.imshow(np.moveaxis(paper, 0, -1))
    left.set_title(f"Imagery of {YEAR}")
    for axes, title, pixels in (
        (middle, "Land cover in cells of 32 m", shown),
        (right, "One class a tile of 224 m", by_tile),
    ):
        axes.imshow(pixels, cmap=ListedColormap(scaled), vmin=-0.5, vmax=len(names) + 0.5)
        axes.set_title(title)
    for axes in (left, middle, right):
        axes.set_axis_off()
    patches = [Patch(color=scaled[int(value)], label=name) for value, name in names.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(names), frameon=False)
    figure.savefig(IMAGES / "result.png", dpi=100)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
