"""Labels of cells as the bytes of a tile catalog, alone or over those of a land cover."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from aerial_kedro.cells.grid import COUNT, SIDE, pack
from aerial_kedro.tiles.workers import for_spark


def pack_labels(cells: pd.DataFrame) -> pd.DataFrame:
    """Put the labels of cells into the bytes of a tile catalog.

    Parameters
    ----------
    cells
        ``image_id, cell, label, purity`` of any number of images, as `find_labelled_cells` yields
        them; those without a label may be among them.

    Returns
    -------
    pandas.DataFrame
        ``image_id, cell_labels, cell_purity``, a row an image of which a cell has a label; 0 in
        the cells that have none.
    """
    labelled = cells[cells["label"] > 0]
    image, ids = pd.factorize(labelled["image_id"])
    row, column = np.divmod(labelled["cell"].to_numpy(int), SIDE)
    packed = {}
    for name in ("label", "purity"):
        values = np.zeros((len(ids), SIDE, SIDE), dtype=np.uint8)
        values[image, row, column] = labelled[name].to_numpy(np.uint8)
        packed[name] = pd.Series(pack(values), dtype=object)
    return pd.DataFrame(
        {
            "image_id": pd.Series(np.asarray(ids, dtype=object), dtype=object),
            "cell_labels": packed["label"],
            "cell_purity": packed["purity"],
        }
    )


def lay_over(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Put labels of one's own over those of a land cover, where they are (``mapInPandas``).

    Parameters
    ----------
    frames
        Tiles with ``cell_labels, cell_purity`` by the land cover, and ``own_labels, own_purity`` as
        `pack_labels` has them; null where a tile has none.

    Yields
    ------
    pandas.DataFrame
        The tiles without the last two; ``cell_labels, cell_purity`` are those of one's own in every
        cell that has one.
    """
    for frame in frames:
        over = [None if own is None else _unpacked(own) > 0 for own in frame["own_labels"]]
        laid = {
            under: pd.Series(
                [
                    below if where is None else _packed(where, own, below)
                    for where, own, below in zip(over, frame[above], frame[under], strict=True)
                ],
                index=frame.index, dtype="object",
            )
            for under, above in (("cell_labels", "own_labels"), ("cell_purity", "own_purity"))
        }  # fmt: skip
        yield for_spark(frame.drop(columns=["own_labels", "own_purity"]).assign(**laid))


def _unpacked(cells: bytes) -> np.ndarray:
    return np.frombuffer(cells, dtype=np.uint8)


def _packed(where: np.ndarray, own: bytes, below: bytes | None) -> bytes:
    nothing = bytes(COUNT)
    laid = np.where(where, _unpacked(own), _unpacked(below or nothing))
    return laid.astype(np.uint8).tobytes()
