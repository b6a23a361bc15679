"""Colours of classes, the same on every map, chart and page."""

import itertools
from collections.abc import Iterable, Mapping

from aerial_kedro.report.eyesight import distances

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

OUTSIDE = "#ff33ff"
"""Ground outside of where the model holds: apart from each colour of the scale under it."""

APART = 18.0
"""CIELAB distance at which two colours look different on a map, to every eye."""

_OTHERS = (
    # Okabe and Ito (2008) without black, then what is farthest from all before it and from white.
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
    "#662200", "#9900ff", "#aaff88", "#9977ff", "#88bb66", "#4400aa", "#552266", "#aa5533",
    "#00eeaa", "#ccccee", "#004499", "#775544", "#7744dd", "#bb2277", "#ddaabb", "#bb2200",
    # No more are apart, but all differ.
    *("#" + "".join(each) for each in itertools.product(("00", "44", "88", "cc", "ee"), repeat=3)),
    *("#" + "".join(each) for each in itertools.product(("22", "66", "aa", "dd", "ff"), repeat=3)),
)  # fmt: skip


def class_colours(classes: Iterable[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give each class a colour.

    Land-cover and EuroSAT classes and `OUTCOMES` have fixed colours. Any other name, in the order
    of the alphabet, takes the first of a list that stays apart from all colours taken before, for
    colour-blind readers too; where none does, the farthest. So colours depend on the set of
    classes alone, and all differ up to 200 classes.

    Parameters
    ----------
    classes
        Class names.
    given
        Colours of the user's own, ``{class: "#rrggbb"}``, before all others.

    Returns
    -------
    dict
        ``{class: "#rrggbb"}``, in the order given.

    Examples
    --------
    >>> class_colours(["Water", "Unsure"])
    {'Water': '#2e70c4', 'Unsure': '#4a4a55'}
    >>> class_colours(["Orchard", "Vineyard"], {"Vineyard": "#722F37"})
    {'Orchard': '#e69f00', 'Vineyard': '#722F37'}
    """
    names = list(dict.fromkeys(classes))
    fixed = {**EUROSAT, **LAND_COVER, **OUTCOMES, "Unsure": UNSURE, **(given or {})}
    found = {name: fixed[name] for name in names if name in fixed}
    taken = [UNSURE, *found.values()]
    between = distances(list(_OTHERS), taken).min(axis=1)
    for name in sorted(set(names) - set(found)):
        slot = int((between >= APART).argmax() if between.max() >= APART else between.argmax())
        found[name] = _OTHERS[slot]
        between = between.clip(max=distances(list(_OTHERS), [found[name]])[:, 0])
    return {name: found[name] for name in names}
