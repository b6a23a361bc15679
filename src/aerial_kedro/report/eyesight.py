"""How far apart colours look, to every eye: those of colour-blind readers too."""

import numpy as np
from numpy.typing import NDArray

# Linear RGB as it looks with full sight and in the three kinds of dichromacy
# (Machado, Oliveira and Fernandes 2009, severity 1).
_SIGHT = np.array(
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
        [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
        [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
    ]
)
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.95047, 1.0, 1.08883])


def as_seen(colours: list[str]) -> NDArray[np.float64]:
    """CIELAB of colours to each of four eyes, ``(colours, 4, 3)``."""
    from matplotlib.colors import to_rgb  # noqa: PLC0415  (loads slowly)

    rgb = np.array([to_rgb(each) for each in colours]).reshape(-1, 3)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    seen = np.einsum("sij,nj->nsi", _SIGHT, linear).clip(0, 1)
    xyz = seen @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)  # noqa: PLR2004
    lightness, red, blue = 116 * f[..., 1] - 16, f[..., 0] - f[..., 1], f[..., 1] - f[..., 2]
    return np.stack([lightness, 500 * red, 200 * blue], axis=-1)


def distances(colours: list[str], others: list[str]) -> NDArray[np.float64]:
    """CIELAB distance of each pair to the eye that sees them nearest, ``(colours, others)``."""
    difference = as_seen(colours)[:, None] - as_seen(others)[None]
    found: NDArray[np.float64] = np.linalg.norm(difference, axis=-1).min(axis=-1)
    return found
