"""Colours of classes, the same on every map, chart and page."""

import hashlib
from collections.abc import Iterable

from matplotlib import colormaps
from matplotlib.colors import to_hex

LAND_COVER = {
    "Developed": "#c91c1c",
    "Barren": "#b4bcc0",
    "Forest": "#0b4d33",
    "Shrub": "#eaad4e",
    "Herbaceous": "#f0efb4",
    "Cultivated": "#a0805a",
    "Water": "#2e70c4",
}
"""The hues that readers of NLCD maps expect, shifted in lightness until each pair stays apart for
colour-blind readers too (a CIELAB distance of at least 18 in each kind of dichromacy)."""

EUROSAT = {
    "AnnualCrop": "#e8c86a",
    "HerbaceousVegetation": "#b8cf6f",
    "Highway": "#5f5f69",
    "Industrial": "#b04fa0",
    "Pasture": "#6fae5c",
    "PermanentCrop": "#8f6b2f",
    "Residential": "#e0503f",
    "River": "#4fa3d8",
    "SeaLake": "#1f4e9c",
}
"""Classes of the EuroSAT tiles that land cover does not have, in colours that suggest them."""

OUTCOMES = {
    "Test tile, right": "#1d5b8f",
    "Test tile, wrong": "#d9480f",
    "Other labelled tile, right": "#bcd3e6",
    "Other labelled tile, wrong": "#f7c59f",
    "Not evaluated": "#eceff2",
}
"""What can become of a tile, and its colour: blue and orange stay apart for colour-blind readers;
what was trained on is pale."""

UNSURE = "#4a4a55"
"""Tiles for which the model abstained."""

_OTHERS = [to_hex(colormaps["tab20"](i)) for i in range(20)]


def class_colours(classes: Iterable[str]) -> dict[str, str]:
    """Give each class a colour.

    Land-cover and EuroSAT classes and `OUTCOMES` have fixed colours. Any other name is given one
    by its own text, so that it looks the same in every report; where two names would meet, the
    later in the alphabet takes the next colour that is free. Beyond twenty such names colours
    repeat.

    Parameters
    ----------
    classes
        Class names.

    Returns
    -------
    dict
        ``{class: "#rrggbb"}``, in the order given.

    Examples
    --------
    >>> class_colours(["Water", "Unsure"])
    {'Water': '#2e70c4', 'Unsure': '#4a4a55'}
    """
    names = list(dict.fromkeys(classes))
    found = {**EUROSAT, **LAND_COVER, **OUTCOMES, "Unsure": UNSURE}
    free = list(range(len(_OTHERS)))
    for name in sorted(set(names) - set(found)):
        wish = hashlib.sha256(name.encode()).digest()[0] % len(_OTHERS)
        slot = min(free, key=lambda i: (i - wish) % len(_OTHERS))
        free.remove(slot)
        free = free or list(range(len(_OTHERS)))
        found[name] = _OTHERS[slot]
    return {name: found[name] for name in names}
