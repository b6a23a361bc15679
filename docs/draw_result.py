"""Draw `docs/images/result.png` from a finished run: `python docs/draw_result.py DATA`."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import rasterio
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from rasterio.enums import Resampling
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

IMAGES = Path(__file__).parent / "images"
YEAR = 2018
PIXEL_M = 8


def draw(data: Path) -> None:
    """Draw imagery, mapped land cover and its probability side by side."""
    with rasterio.open(data / f"07_model_output/map_{YEAR}.tif") as file:
        shown, probability = file.read()
        crs, bounds, colours = file.crs, file.bounds, file.colormap(1)
        names = dict(each.split(" ", 1) for each in file.tags()["CLASSES"].split(", "))
    side = round((bounds.top - bounds.bottom) / PIXEL_M)
    grid = {"crs": crs, "transform": from_bounds(*bounds, side, side), "width": side}
    imagery = np.zeros((3, side, side), np.uint8)
    for path in sorted((data / "01_raw/sample/scenes").glob(f"*_{YEAR}*.tif")):
        with (
            rasterio.open(path) as scene,
            WarpedVRT(scene, height=side, resampling=Resampling.average, **grid) as warped,
        ):
            read = warped.read((1, 2, 3))
        imagery = np.where(imagery.any(axis=0), imagery, read)

    paper = np.where(imagery.any(axis=0), imagery, 255)
    scaled = [tuple(part / 255 for part in colours[value]) for value in range(len(names) + 1)]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 4.3), layout="constrained")
    left.imshow(np.moveaxis(paper, 0, -1))
    left.set_title(f"Imagery of {YEAR}")
    middle.imshow(shown, cmap=ListedColormap(scaled), vmin=-0.5, vmax=len(names) + 0.5)
    middle.set_title("Land cover, one class a tile")
    # The land cover says what is water; the model's probability is of another class there.
    predicted = [int(value) for value, name in names.items() if name != "Water"]
    chances = np.where(np.isin(shown, predicted), probability, np.nan)
    bar = figure.colorbar(right.imshow(chances, cmap="cividis"), ax=right, shrink=0.8)
    bar.set_label("percent")
    right.set_title("Probability of the predicted class")
    for axes in (left, middle, right):
        axes.set_axis_off()
    patches = [Patch(color=scaled[int(value)], label=name) for value, name in names.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(names), frameon=False)
    figure.savefig(IMAGES / "result.png", dpi=90)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
