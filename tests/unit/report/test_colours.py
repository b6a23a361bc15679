from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.report.colours import EUROSAT, LAND_COVER, OUTCOMES, class_colours

OTHERS = [f"crop {i}" for i in range(15)]

# How linear RGB looks to dichromats (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHT = {
    "full": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [
        [0.3673, 0.8606, -0.2280],
        [0.2801, 0.6725, 0.0474],
        [-0.0118, 0.0429, 0.9689],
    ],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, sight: np.ndarray) -> np.ndarray:
    """CIELAB of a colour as seen."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(sight) @ linear, 0, 1) / [0.95047, 1, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
def test_land_cover_colours_stay_apart_for_every_eye(sight: str) -> None:
    seen = {name: lab(colour, SIGHT[sight]) for name, colour in LAND_COVER.items()}
    distances = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(LAND_COVER, 2)}
    closest = min(distances, key=distances.__getitem__)
    assert distances[closest] > 18, closest


def test_fixed_colours_are_all_different() -> None:
    assert len({*LAND_COVER.values(), *EUROSAT.values()}) == len(LAND_COVER) + len(EUROSAT)
    assert class_colours(["River", "Forest"])["Forest"] == LAND_COVER["Forest"]


@pytest.mark.parametrize("sight", SIGHT)
@given(names=st.sets(st.text(min_size=1, max_size=9), min_size=2, max_size=12))
def test_any_classes_stay_apart_for_every_eye(sight: str, names: set[str]) -> None:
    names -= {*LAND_COVER, *EUROSAT, *OUTCOMES}
    colours = class_colours([*names, "Unsure"])
    seen = [lab(colour, SIGHT[sight]) for colour in colours.values()]
    assert all(np.linalg.norm(a - b) > 17.9 for a, b in combinations(seen, 2))


@pytest.mark.parametrize("sight", SIGHT)
def test_new_classes_stay_apart_from_those_of_the_land_cover(sight: str) -> None:
    colours = class_colours([*LAND_COVER, "Orchard", "Vineyard", "Hops", "Unsure"])
    seen = {name: lab(colour, SIGHT[sight]) for name, colour in colours.items()}
    for new in ("Orchard", "Vineyard", "Hops"):
        others = [colour for name, colour in seen.items() if name != new]
        assert min(np.linalg.norm(seen[new] - each) for each in others) > 17.9


def test_the_users_colours_come_first() -> None:
    own = {"Orchard": "#e69f00", "Forest": "#00ff00", "Absent": "#123456"}
    found = class_colours(["Forest", "Apples", "Orchard"], own)
    assert found["Forest"] == "#00ff00"
    assert found["Orchard"] == "#e69f00"
    assert list(found) == ["Forest", "Apples", "Orchard"]
    assert found["Apples"] not in own.values()


def test_many_classes_still_have_colours_of_their_own() -> None:
    assert len(set(class_colours([f"class {i}" for i in range(200)]).values())) == 200


def test_other_classes_get_different_colours() -> None:
    assert len(set(class_colours(OTHERS).values())) == len(OTHERS)


def test_a_colour_depends_on_names_alone_not_on_their_order() -> None:
    assert class_colours(OTHERS) == class_colours(OTHERS[::-1])


def test_more_classes_than_colours_still_get_one() -> None:
    found = class_colours([f"class {i}" for i in range(300)])
    assert len(found) == 300
    assert all(colour.startswith("#") for colour in found.values())
