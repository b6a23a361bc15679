import pytest

from aerial_kedro.accuracy.shares import OTHER, compare_shares, group_agreement, group_shares

NAMES = ["Forest", "Shrub", "Developed", "Water"]
COVER = {"Forest": 50.0, "Developed": 30.0, "Water": 20.0}
MAPPED = {"Forest": 7.0, "Shrub": 1.0, "Developed": 2.0}
GROUPS = {"Green": ["Shrub", "Forest"], "Built": ["Developed"]}


def test_shares_are_of_each_sides_own_whole() -> None:
    rows = compare_shares(COVER, MAPPED, {"Forest": 0.6}, NAMES)
    assert [row.name for row in rows] == NAMES
    assert [row.land_cover for row in rows] == pytest.approx([0.5, 0, 0.3, 0.2])
    assert [row.mapped for row in rows] == pytest.approx([0.7, 0.1, 0.2, 0])
    assert [row.difference_points for row in rows] == pytest.approx([20, 10, -10, -20])
    assert [row.adjusted for row in rows] == [0.6, None, None, None]


def test_a_class_that_neither_side_holds_has_no_row() -> None:
    assert [row.name for row in compare_shares(COVER, {"Forest": 1}, {}, NAMES)] == [
        "Forest", "Developed", "Water",
    ]  # fmt: skip


def test_shares_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="need an area"):
        compare_shares(COVER, {}, {}, NAMES)


def test_groups_add_their_classes_up_and_the_rest_is_a_group() -> None:
    rows = compare_shares(COVER, MAPPED, {"Forest": 0.6, "Developed": 0.3}, NAMES)
    green, built, other = group_shares(rows, GROUPS)
    assert green.mapped == pytest.approx(0.8)
    assert green.land_cover == pytest.approx(0.5)
    assert green.difference_points == pytest.approx(30)
    assert green.adjusted is None  # Shrub's is not known
    assert built.adjusted == pytest.approx(0.3)
    assert (other.name, other.members) == (OTHER, ["Water"])
    assert sum(row.land_cover for row in (green, built, other)) == pytest.approx(1)


def test_agreement_is_of_groups_not_of_classes() -> None:
    tiles = {
        ("Forest", "Shrub"): 6,
        ("Developed", "Developed"): 1,
        ("Forest", "Developed"): 2,
        ("Water", "Forest"): 1,
        ("Water", "Water"): 100,
    }
    assert group_agreement(tiles, GROUPS) == (0.7, 10)


def test_agreement_of_no_tile_is_undefined() -> None:
    assert group_agreement({("Water", "Water"): 5}, GROUPS) == (None, 0)
