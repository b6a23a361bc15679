"""What a lower precision costs: measured against fp32 on tiles of known class."""

from collections.abc import Sequence

import numpy as np

from aerial_kedro.features.engine_choice import EngineRecord
from aerial_kedro.parameters import CheckedModel

_REGULARISATION = 0.01
_MAX_ITERATIONS = 300
_FEWEST_CLASSES = 2


class ProbeAccuracy(CheckedModel):
    """Accuracy of the same simple classifier on features of two precisions.

    Parameters
    ----------
    training_tiles, evaluated_tiles
        Tiles that it was fitted and evaluated on, apart by block.
    fp32, precision
        Share of the evaluated tiles that it gets right with features in fp32, and in the precision
        of the run.
    """

    training_tiles: int
    evaluated_tiles: int
    fp32: float
    precision: float


class PrecisionSummary(EngineRecord):
    """What computed the features, and what its precision costs.

    Parameters
    ----------
    calibration_tiles
        Tiles that the ranges of int8 were asked to be measured on.
    tiles
        Tiles, none of them calibrated on, on which the cosines were measured.
    mean_cosine, smallest_cosine
        Cosines of the features with those in fp32; None in fp32, or without such tiles.
    probe
        None in fp32, and where there are too few labelled tiles.
    mean_cell_cosine, smallest_cell_cosine, cell_probe
        The same of the embeddings of the tiles' cells, each of which is taken to be of its tile's
        class; None where the network embeds none.
    """

    calibration_tiles: int | None = None
    tiles: int = 0
    mean_cosine: float | None = None
    smallest_cosine: float | None = None
    probe: ProbeAccuracy | None = None
    mean_cell_cosine: float | None = None
    smallest_cell_cosine: float | None = None
    cell_probe: ProbeAccuracy | None = None

    def __str__(self) -> str:
        """Describe it in one sentence."""
        said = f"{self.engine}, {self.precision}"
        if self.mean_cosine is not None:
            said += f"; cosine with fp32 on {self.tiles} tiles: mean {self.mean_cosine:.4f}, "
            said += f"least {self.smallest_cosine:.4f}"
        if self.probe is not None:
            said += (
                f"; a linear classifier gets {self.probe.precision:.1%} of "
                f"{self.probe.evaluated_tiles} tiles right, {self.probe.fp32:.1%} with fp32"
            )
        if self.mean_cell_cosine is not None:
            said += f"; cells: mean cosine {self.mean_cell_cosine:.4f}"
        if self.cell_probe is not None:
            said += f", {self.cell_probe.precision:.1%} right, {self.cell_probe.fp32:.1%} with fp32"
        if self.doubt:
            said += f"; the fastest engine could not be told ({self.doubt})"
        return said


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine similarity of the rows of two arrays of shape ``(n, features)``: ``(n,)`` float64.

    Two rows of zeros count as equal; a row with a value that is not finite gives NaN.
    """
    from sklearn.preprocessing import normalize

    a, b = first.astype(np.float64), second.astype(np.float64)
    finite = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
    both_zero = ~a.any(axis=1) & ~b.any(axis=1)
    found = np.full(len(a), np.nan)
    if finite.any():
        found[finite] = (normalize(a[finite]) * normalize(b[finite])).sum(axis=1)
    return np.where(both_zero, 1.0, found)


def smallest_cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Return the least of the `cosines`; NaN if one of them is."""
    return float(cosines(first, second).min())


def compare_features(
    fp32: np.ndarray, lower: np.ndarray, labels: Sequence[str], is_training: np.ndarray
) -> dict[str, object]:
    """Compare the features of the same tiles in two precisions.

    Parameters
    ----------
    fp32, lower
        ``(n, features)``.
    labels
        Class of each tile.
    is_training
        ``(n,)`` bool: tiles to fit on. The others are evaluated, and no block has some of both.

    Returns
    -------
    dict
        ``tiles, mean_cosine, smallest_cosine, probe`` of `PrecisionSummary`; the cosines on the
        evaluated tiles.
    """
    evaluated = ~is_training
    if not evaluated.any():
        return {}
    alike = cosines(fp32[evaluated], lower[evaluated])
    return {
        "tiles": int(evaluated.sum()),
        "mean_cosine": float(alike.mean()),
        "smallest_cosine": float(alike.min()),
        "probe": _probe(fp32, lower, np.asarray(labels, dtype=object), is_training),
    }


def compare_cells(
    fp32: np.ndarray, lower: np.ndarray, labels: Sequence[str], is_training: np.ndarray
) -> dict[str, object]:
    """Compare the embeddings of the cells of the same tiles in two precisions.

    Parameters
    ----------
    fp32, lower
        ``(n, 7, 7, components)``, in the units of the components.
    labels, is_training
        As for `compare_features`.

    Returns
    -------
    dict
        ``mean_cell_cosine, smallest_cell_cosine, cell_probe`` of `PrecisionSummary`.
    """
    evaluated = ~is_training
    if not evaluated.any():
        return {}
    each = int(np.prod(fp32.shape[1:3]))
    first, second = (part.reshape(len(part) * each, -1) for part in (fp32, lower))
    of_cells = np.repeat(is_training, each)
    alike = cosines(first[~of_cells], second[~of_cells])
    names = np.repeat(np.asarray(labels, dtype=object), each)
    return {
        "mean_cell_cosine": float(alike.mean()),
        "smallest_cell_cosine": float(alike.min()),
        "cell_probe": _probe(first, second, names, of_cells, of_each=each),
    }


def _probe(
    fp32: np.ndarray,
    lower: np.ndarray,
    labels: np.ndarray,
    is_training: np.ndarray,
    of_each: int = 1,
) -> ProbeAccuracy | None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(set(labels[is_training])) < _FEWEST_CLASSES:
        return None
    shares = []
    for features in (fp32, lower):
        classifier = make_pipeline(
            StandardScaler(), LogisticRegression(C=_REGULARISATION, max_iter=_MAX_ITERATIONS)
        ).fit(features[is_training], labels[is_training])
        shares.append(float(classifier.score(features[~is_training], labels[~is_training])))
    return ProbeAccuracy(
        training_tiles=int(is_training.sum()) // of_each,
        evaluated_tiles=int((~is_training).sum()) // of_each,
        fp32=shares[0],
        precision=shares[1],
    )
