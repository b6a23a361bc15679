"""Temperature scaling: calibrates a model's probabilities with a single number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Smallest probability: what a forest has never seen (an exact zero) is not thereby impossible.
LEAST_PROBABILITY = 1e-6
_LEAST_LOG, _GREATEST_LOG = np.log(0.05), np.log(20.0)


def scale_probabilities(
    probabilities: NDArray[np.floating], temperature: float
) -> NDArray[np.float64]:
    """Sharpen (temperature below 1) or soften (above 1) probabilities.

    Parameters
    ----------
    probabilities
        Array of shape ``(n, classes)`` whose rows sum to 1.
    temperature
        Greater than 0; 1 changes nothing (but zeros).

    Examples
    --------
    >>> scale_probabilities(np.array([[0.8, 0.2]]), temperature=2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    powers = np.maximum(probabilities, LEAST_PROBABILITY) ** (1.0 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_temperature(
    probabilities: NDArray[np.floating],
    labels: Sequence[str],
    classes: Sequence[str],
    independent: int | None = None,
) -> float:
    r"""Find the temperature that makes the labels likeliest (Guo et al. 2017), kept near 1.

    The tiles of a spatial block are alike, so a few blocks are weak evidence, however many tiles
    they hold. The logarithm of the temperature :math:`T` therefore has a standard normal prior, and
    the mean loss counts as often as there are independent samples :math:`m`:

    .. math:: \min_T \; m \cdot \overline{-\log p_T(\text{label})} + \tfrac{1}{2} (\log T)^2

    Parameters
    ----------
    probabilities
        Array of shape ``(n, len(classes))``.
    labels
        Reference labels, ``n``; those of classes that the model does not know are left out,
        since no temperature makes them likelier.
    classes
        Order of the probabilities.
    independent
        Number of spatial blocks that the tiles come from; None counts every tile.

    Raises
    ------
    ValueError
        If no label is of a known class.
    """
    from scipy.optimize import minimize_scalar

    position = {name: index for index, name in enumerate(classes)}
    known = np.array([label in position for label in labels])
    if not known.any():
        raise ValueError(f"None of the {len(labels)} labels is of the classes {list(classes)}.")
    chances = probabilities[known]
    truth = np.array([position[label] for label in labels if label in position])
    weight = len(truth) if independent is None else independent

    def loss(log_temperature: float) -> float:
        scaled = scale_probabilities(chances, float(np.exp(log_temperature)))
        mean_loss = -np.log(scaled[np.arange(len(truth)), truth]).mean()
        return float(weight * mean_loss + log_temperature**2 / 2)

    found = minimize_scalar(loss, bounds=(_LEAST_LOG, _GREATEST_LOG), method="bounded")
    return float(np.exp(found.x))
