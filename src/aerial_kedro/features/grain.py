"""How much ground a pixel of a network's input covers: one dial between grain and cost.

A tile of 224 m fills 224 pixels of most networks: 1 m a pixel. With 2 m a pixel the same tile has
a quarter of the pixels and costs a quarter of the time; with 0.6 m it shows more, at three times
the cost. The grid of cells is 7 by 7 a tile whatever the input.
"""

from dataclasses import dataclass

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.errors import AerialError

SMALLEST_INPUT, LARGEST_INPUT = 8 * SIDE, 128 * SIDE
"""Sides of input in pixels, 56 and 896, that can be asked for: 8 to 128 pixels a cell."""

NO_GSD_OF_FILES = (
    "gsd_m={:g} is of tiles that are cut from scenes. Image files are tiles already, and fill the "
    "network's own input: leave gsd_m out (--params=gsd_m=null)."
)
"""Message where it is asked of image files; takes its value."""

STRIDE = 32
"""Pixels of the input a position of most networks' last maps."""

# Scenes whose pixels are larger than the network's by more than this show nothing so fine.
_FINER = 1.5


@dataclass(frozen=True)
class Grain:
    """What the run asks of the pixels that a network sees.

    Parameters
    ----------
    tile_size_m
        Side of a tile in metres.
    gsd_m
        Metres a pixel; None for the network's own input.
    """

    tile_size_m: float
    gsd_m: float | None = None

    def choose_input(self, own: int | None = None) -> int | None:
        """Choose the side of the input in pixels: the nearest that fits cells or networks.

        Parameters
        ----------
        own
            The network's own; None where it is not known yet.

        Returns
        -------
        int or None
            ``own``, a multiple of 7 (whole pixels a cell) or of 32 (which networks halve evenly
            five times), whichever is nearest; ``own`` where no ``gsd_m`` is asked for.

        Raises
        ------
        AerialError
            If so many or so few pixels are not given to a network.

        Examples
        --------
        >>> [Grain(224, gsd).choose_input(224) for gsd in (None, 1.0, 2.0, 0.6, 1.01)]
        [224, 224, 112, 371, 224]
        >>> Grain(100, 1.0).choose_input(240), Grain(224, 1.75).choose_input(240)
        (98, 128)
        """
        if self.gsd_m is None:
            return own
        pixels = self.tile_size_m / self.gsd_m
        near = [step * max(1, round(pixels / step)) for step in (SIDE, STRIDE)]
        nearest = min([own, *near] if own else near, key=lambda each: abs(each - pixels))
        if nearest == own:
            return own
        if not SMALLEST_INPUT <= pixels <= LARGEST_INPUT:
            coarsest, finest = (self.pixel_m(each) for each in (SMALLEST_INPUT, LARGEST_INPUT))
            raise AerialError(
                f"gsd_m={self.gsd_m:g} makes {pixels:,.0f} pixels a side of a tile of "
                f"{self.tile_size_m:g} m, and a network can be given {SMALLEST_INPUT} to "
                f"{LARGEST_INPUT}. Give gsd_m between {finest:g} and {coarsest:g}, or another "
                "tile_size_m."
            )
        return nearest

    def pixel_m(self, input_size: int) -> float:
        """Return the metres of ground a pixel covers where the input has so many a side."""
        return self.tile_size_m / input_size

    def refuse_input(self, backbone: str, fitting: list[int], reason: str) -> AerialError:
        """Make the error for a network that cannot take the input.

        Parameters
        ----------
        backbone
            Name of the network.
        fitting
            Sides of input that it takes, in pixels.
        reason
            What it says itself.
        """
        known = sorted(fitting, key=lambda each: abs(each - (self.choose_input() or each)))
        fits = " or ".join(
            f"gsd_m={self.pixel_m(each):.4g} ({each} pixels)" for each in dict.fromkeys(known)
        )
        return AerialError(
            f"The backbone {backbone!r} cannot take tiles of {self.choose_input()} pixels, as "
            f"gsd_m={self.gsd_m:g} makes of {self.tile_size_m:g} m ({reason}). It takes {fits}; "
            "backbone=efficientnet_lite0 takes any."
        )


def describe_pixels(pixel_m: float | None, input_size: int) -> str:
    """Describe the pixels of a network's input.

    Parameters
    ----------
    pixel_m
        Metres a pixel; None where the tiles have no place.
    input_size
        Side of the input in pixels.

    Examples
    --------
    >>> describe_pixels(2.0, 112)
    '2 m a pixel (input 112 px)'
    """
    ground = "tiles without a place" if pixel_m is None else f"{pixel_m:.3g} m a pixel"
    return f"{ground} (input {input_size} px)"


def remark_on_pixels(pixel_m: float | None, scene_m: float | None) -> str | None:
    """Return a warning where the network's pixels are much finer than those of the scenes.

    Parameters
    ----------
    pixel_m
        Metres a pixel of the network's input; None where it is not known.
    scene_m
        Metres a pixel of the coarsest scene; None where there are no scenes.

    Examples
    --------
    >>> remark_on_pixels(1.0, 1.0), remark_on_pixels(None, 1.0)
    (None, None)
    >>> remark_on_pixels(1.0, 2.0)[:65]
    'The network sees pixels of 1 m, finer than scenes of 2 m: 4 times'
    """
    if pixel_m is None or scene_m is None or scene_m < _FINER * pixel_m:
        return None
    return (
        f"The network sees pixels of {pixel_m:.3g} m, finer than scenes of {scene_m:.3g} m: "
        f"{(scene_m / pixel_m) ** 2:.0f} times the pixels that these hold, and nothing more to see "
        f"in them. --params=gsd_m={scene_m:.3g} takes less time; a larger tile_size_m shows the "
        "network more ground."
    )
