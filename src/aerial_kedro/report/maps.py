"""Maps as figures: north up and to scale."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from aerial_kedro.report.colours import OUTSIDE, class_colours
from aerial_kedro.report.figures import INK, house_style, new_figure
from aerial_kedro.report.pictures import NO_DATA, ImageryPicture, MapImage

_MAP_WIDTH = 6.0  # inches
_SCALE_STEPS = (1, 2, 5)
SCALE = "cividis"
"""Matplotlib's name of the colours of shares: to every eye alike."""
_LEAST_EXPECTED = 0.5


def map_figure(
    map_image: MapImage, shown: tuple[float, float, float, float] | None = None
) -> Figure:
    """Draw the land-cover map; its legend is the page's.

    Parameters
    ----------
    map_image
        The map.
    shown
        ``(xmin, ymin, xmax, ymax)`` of the ground to show, in the map's CRS; None shows all of it.
    """
    xmin, ymin, xmax, ymax = shown or map_image.extent
    figure, image = _draw_cells(
        map_image, _coloured(map_image), below=0.4, aspect=_aspect((xmin, ymin, xmax, ymax))
    )
    image.axes.set(xlim=(xmin, xmax), ylim=(ymin, ymax))
    _north_arrow(image.axes)
    _scale_bar(image.axes, xmax - xmin)
    return figure


def imagery_and_map_figure(map_image: MapImage, imagery: ImageryPicture) -> Figure:
    """Draw imagery and the land-cover map of the same ground side by side, to one scale.

    Parameters
    ----------
    map_image
        The map, thinned for the page (`thinning.thin_map`); its legend is the page's.
    imagery
        The imagery, in the map's CRS; what lies outside the map is cut off.
    """
    with house_style():
        figure = new_figure(2 * _MAP_WIDTH, _MAP_WIDTH * _aspect(map_image.extent) + 0.6)
        panels = figure.subplots(1, 2)
    for axes, title, pixels, extent in (
        (panels[0], "Imagery", imagery.pixels, imagery.extent),
        (panels[1], "Map", _coloured(map_image), map_image.extent),
    ):
        _draw_pixels(axes, pixels, extent)
        xmin, ymin, xmax, ymax = map_image.extent
        axes.set(xlim=(xmin, xmax), ylim=(ymin, ymax))
        axes.set_title(title, loc="left", fontsize=13, color=INK)
    _scale_bar(panels[0], map_image.extent[2] - map_image.extent[0])
    _north_arrow(panels[1])
    return figure


def confidence_figure(map_image: MapImage) -> Figure:
    """Draw how probable the likeliest class is, cell by cell.

    Raises
    ------
    ValueError
        If the map has no confidence.
    """
    if map_image.confidence is None:
        raise ValueError("The map has no confidence: give the probability of the likeliest class.")
    figure, image = _draw_cells(map_image, np.ma.masked_invalid(map_image.confidence), below=0.9)
    # The likeliest of k classes has at least 1/k.
    image.set_clim(1 / max(len(map_image.classes), 1), 1)
    _percent_bar(figure, image, "Probability of the likeliest class")
    return figure


def expected_figure(map_image: MapImage) -> Figure:
    """Draw the expected accuracy, cell by cell, and over it what is outside; see `OUTSIDE`.

    Raises
    ------
    ValueError
        If the map does not say where the model holds.
    """
    if map_image.expected is None or map_image.outside is None:
        raise ValueError("The map does not say where the model holds: give both of its bands.")
    figure, image = _draw_cells(map_image, np.ma.masked_invalid(map_image.expected), below=0.9)
    # The same scale on every page, so that maps compare; what is below has the colour of its end.
    image.set_clim(_LEAST_EXPECTED, 1)
    _percent_bar(figure, image, "Expected accuracy", extend="min")
    over = np.zeros((*map_image.outside.shape, 4))
    over[map_image.outside] = to_rgba(OUTSIDE)
    _draw_pixels(image.axes, over, map_image.extent)
    return figure


def _percent_bar(figure: Figure, image: AxesImage, label: str, extend: str = "neither") -> None:
    """Draw shares by the scale of all maps of shares, and it below the map."""
    image.set_cmap(colormaps[SCALE])
    bar = figure.colorbar(
        image, ax=image.axes, orientation="horizontal", fraction=0.05, pad=0.01, extend=extend
    )
    bar.set_label(label, fontsize=15)
    bar.ax.tick_params(labelsize=14)  # the page shows it at half the map's size
    bar.locator = MaxNLocator(5)
    bar.ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    bar.outline.set_visible(False)


def scale_length(width_m: float) -> float:
    """Length of a scale bar: the largest of 1, 2, 5, 10 ... that fits into a quarter of the map.

    Parameters
    ----------
    width_m
        Width of the map, metres.

    Returns
    -------
    float
        Metres.

    Examples
    --------
    >>> scale_length(10_000), scale_length(3_900)
    (2000.0, 500.0)
    """
    power = 10.0 ** np.floor(np.log10(width_m / 4))
    return float(max(step * power for step in _SCALE_STEPS if step * power <= width_m / 4))


def _draw_cells(
    map_image: MapImage, cells: NDArray[np.floating], below: float, aspect: float | None = None
) -> tuple[Figure, AxesImage]:
    """Draw cells in the map's proportions, or other ones, with some inches of room below."""
    aspect = aspect or _aspect(map_image.extent)
    with house_style():
        figure = new_figure(_MAP_WIDTH, _MAP_WIDTH * aspect + below)
        axes = figure.add_subplot()
    return figure, _draw_pixels(axes, cells, map_image.extent)


def _aspect(extent: tuple[float, float, float, float]) -> float:
    """Height of a map's panel in widths."""
    xmin, ymin, xmax, ymax = extent
    return min(max((ymax - ymin) / (xmax - xmin), 0.3), 2.0)


def _coloured(map_image: MapImage) -> NDArray[np.floating]:
    """Colours of a map's pixels, ``(rows, cols, 4)``; without data they are clear."""
    colours = class_colours(map_image.classes, map_image.colours)
    table = np.zeros((NO_DATA + 1, 4))
    for position, name in enumerate(map_image.classes):
        table[position] = to_rgba(colours[name])
    coloured: NDArray[np.floating] = table[map_image.class_index]
    return coloured


def _draw_pixels(
    axes: Axes, pixels: NDArray[Any], extent: tuple[float, float, float, float]
) -> AxesImage:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_edgecolor("#9aa5b1")
    xmin, ymin, xmax, ymax = extent
    return axes.imshow(pixels, extent=(xmin, xmax, ymin, ymax), interpolation="none")


def _north_arrow(axes: Axes) -> None:
    axes.annotate(
        "N",
        xy=(0.97, -0.012),
        xytext=(0, -18),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="center",
        color=INK,
        fontweight="bold",
        arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 3, "shrinkB": 0},
        annotation_clip=False,
    )


def _scale_bar(axes: Axes, width_m: float) -> None:
    length = scale_length(width_m)
    share = length / width_m
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"  # noqa: PLR2004
    for part, colour in enumerate((INK, "white")):
        axes.add_patch(
            Rectangle(
                (part * share / 2, -0.032),
                share / 2,
                0.014,
                transform=axes.transAxes,
                facecolor=colour,
                edgecolor=INK,
                linewidth=0.8,
                clip_on=False,
            )
        )
    axes.annotate(
        text,
        xy=(share, -0.025),
        xytext=(5, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=9,
        annotation_clip=False,
    )
