"""Charts of the ground that a map has right."""

from matplotlib.figure import Figure

from aerial_kedro.accuracy.ground import GroundAccuracy
from aerial_kedro.report.figures import (
    ACCENT,
    INK,
    MUTED,
    house_style,
    new_figure,
    percent_axis,
)

_PALE = "#a9b4bf"


def ground_figure(found: GroundAccuracy, land_cover: GroundAccuracy | None = None) -> Figure:
    """Draw the share of ground that is right by cells, and with one class a tile.

    Parameters
    ----------
    found
        The map against the reference.
    land_cover
        The land cover against the same reference, where that is the truth.
    """
    rows = [
        ("one class a tile, as mapped", found.tile_map_accuracy, _PALE),
        ("one class a tile, at its best", found.best_tile_map_accuracy, _PALE),
        ("the map of cells", found.accuracy, ACCENT),
    ]
    if land_cover is not None:
        rows.append(("the land cover that taught it", land_cover.accuracy, MUTED))
    with house_style():
        figure = new_figure(9.2, 0.6 + 0.42 * len(rows))
        axes = figure.add_subplot()
        for y, (_, value, colour) in enumerate(rows):
            axes.barh(y, value, height=0.62, color=colour)
            interval = found.accuracy_interval if colour == ACCENT else None
            if interval is not None:
                axes.plot([interval.lower, interval.upper], [y, y], color=INK, linewidth=1.6)
                axes.plot([interval.lower, interval.upper], [y, y], "|", color=INK, markersize=8)
            reach = value if interval is None else interval.upper
            axes.text(reach + 0.012, y, f"{value:.1%}", va="center", fontweight="bold")
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.1)
        axes.set_xlabel("Share of the ground that is right; line: 95 % interval")
        percent_axis(axes)
    return figure
