"""Pictures of patches of ground: the four tiles around one, put together, with its outline."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import shapely
from PIL import Image, ImageDraw

_TILE_PX = 120
_QUALITY = 85
_EMPTY = (200, 200, 200)
# A light line on a dark one is seen on any ground.
_LINES = (((0, 0, 0), 5), ((255, 255, 255), 2))


@dataclass(frozen=True)
class PatchWindow:
    """Two by two tiles around the middle of a patch.

    Parameters
    ----------
    col, row
        Of the south-western tile on its zone's grid.
    tile_size_m
        Side of a tile in metres.
    patch
        The patch, in the zone's CRS.
    """

    col: int
    row: int
    tile_size_m: float
    patch: shapely.Polygon

    @classmethod
    def around(cls, patch: shapely.Polygon, tile_size_m: float) -> "PatchWindow":
        """Choose the tiles that meet nearest to the middle of the patch."""
        west, south, east, north = patch.bounds
        col, row = (round(both / 2 / tile_size_m) - 1 for both in (west + east, south + north))
        return cls(col, row, tile_size_m, patch)

    @property
    def tiles(self) -> list[tuple[int, int]]:
        """Column and row of the four tiles."""
        return [(self.col + right, self.row + up) for up in (0, 1) for right in (0, 1)]

    def draw(self, pictures: Mapping[tuple[int, int], bytes]) -> bytes:
        """Put the tiles' pictures together and outline the patch.

        Parameters
        ----------
        pictures
            Column and row of a tile to its picture; what is missing stays grey.

        Returns
        -------
        bytes
            A JPEG picture, 240 pixels a side.
        """
        canvas = Image.new("RGB", (2 * _TILE_PX, 2 * _TILE_PX), _EMPTY)
        for col, row in self.tiles:
            if (col, row) in pictures:
                with Image.open(io.BytesIO(pictures[col, row])) as tile:
                    place = ((col - self.col) * _TILE_PX, (self.row + 1 - row) * _TILE_PX)
                    canvas.paste(tile.convert("RGB").resize((_TILE_PX, _TILE_PX)), place)
        pen = ImageDraw.Draw(canvas)
        for colour, width in _LINES:
            for ring in (self.patch.exterior, *self.patch.interiors):
                pen.line([self._pixel(*point) for point in ring.coords], fill=colour, width=width)
        buffer = io.BytesIO()
        canvas.save(buffer, "JPEG", quality=_QUALITY)
        return buffer.getvalue()

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        scale = _TILE_PX / self.tile_size_m
        left, top = self.col * self.tile_size_m, (self.row + 2) * self.tile_size_m
        return (x - left) * scale, (top - y) * scale
