import numpy as np
import pytest

from aerial_kedro.accuracy.area import Estimate, UnsampledClassError, adjusted_areas

# The worked example of Olofsson et al. (2014), section 4: pixels of 30 m, so 0.09 ha each.
CLASSES = ["Deforestation", "Forest gain", "Stable forest", "Stable non-forest"]
PIXELS = [200_000, 150_000, 3_200_000, 6_450_000]
SAMPLE = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]
HECTARES = [0.09 * pixels for pixels in PIXELS]


def half_width(estimate: Estimate) -> float:
    return 1.96 * estimate.standard_error


def test_areas_of_the_papers_example() -> None:
    found = adjusted_areas(HECTARES, SAMPLE, CLASSES).per_class
    assert [round(found[name].area.value) for name in CLASSES] == [21_158, 11_686, 285_770, 581_386]
    expected = [6_158, 3_756, 15_510, 16_282]
    assert [round(half_width(found[name].area)) for name in CLASSES] == expected
    deforestation = found["Deforestation"]
    assert deforestation.mapped == pytest.approx(18_000)
    assert deforestation.area.interval.lower == pytest.approx(21_158 - 6_158, abs=1)
    assert deforestation.area.interval.upper == pytest.approx(21_158 + 6_158, abs=1)


def test_accuracies_of_the_papers_example() -> None:
    found = adjusted_areas(PIXELS, SAMPLE, CLASSES)
    assert found.overall_accuracy.value == pytest.approx(0.95, abs=0.005)
    assert half_width(found.overall_accuracy) == pytest.approx(0.02, abs=0.005)
    users = [found.per_class[name].users_accuracy for name in CLASSES]
    producers = [found.per_class[name].producers_accuracy for name in CLASSES]
    assert [round(u.value, 2) for u in users] == [0.88, 0.73, 0.93, 0.96]
    assert [round(half_width(u), 2) for u in users] == [0.07, 0.10, 0.04, 0.02]
    assert [round(p.value, 2) for p in producers] == [0.75, 0.85, 0.93, 0.96]
    assert [round(half_width(p), 2) for p in producers] == [0.21, 0.25, 0.03, 0.02]


def test_rows_are_map_classes() -> None:
    straight = adjusted_areas(PIXELS, SAMPLE, CLASSES)
    turned = adjusted_areas(PIXELS, np.transpose(SAMPLE), CLASSES)
    assert straight != turned


def test_adjusted_areas_sum_to_the_map() -> None:
    found = adjusted_areas(PIXELS, SAMPLE, CLASSES).per_class.values()
    assert sum(one.area.value for one in found) == pytest.approx(sum(PIXELS))


def test_a_map_without_errors_is_its_own_estimate() -> None:
    found = adjusted_areas([10, 30], [[5, 0], [0, 5]], ["A", "B"]).per_class["A"]
    assert found.area.value == 10
    assert found.area.standard_error == 0


def test_a_class_off_the_map_may_still_have_an_area() -> None:
    found = adjusted_areas([100, 0], [[8, 2], [0, 0]], ["A", "B"]).per_class["B"]
    assert found.area.value == pytest.approx(20)
    assert found.users_accuracy is None
    assert found.producers_accuracy is not None
    assert found.producers_accuracy.value == 0


def test_a_class_that_the_reference_lacks_has_no_producers_accuracy() -> None:
    found = adjusted_areas([50, 50], [[9, 0], [9, 0]], ["A", "B"]).per_class["B"]
    assert found.producers_accuracy is None
    assert found.area.value == 0


def test_intervals_stay_within_the_map() -> None:
    found = adjusted_areas([99, 1], [[2, 0], [1, 1]], ["A", "B"]).per_class
    assert found["B"].area.interval.lower >= 0
    assert found["A"].area.interval.upper <= 100


def test_refuses_a_mapped_class_without_samples_and_names_it() -> None:
    with pytest.raises(UnsampledClassError, match="'B'") as caught:
        adjusted_areas([50, 50], [[9, 0], [1, 0]], ["A", "B"])
    assert caught.value.classes == ["B"]


@pytest.mark.parametrize(
    ("mapped", "sample", "message"),
    [
        ([1], [[5, 0], [0, 5]], "2 classes need 2 areas"),
        ([1, 2], [[5, 0]], "sample of shape"),
        ([1, -2], [[5, 0], [0, 5]], "negative"),
        ([1, float("nan")], [[5, 0], [0, 5]], "not finite"),
        ([0, 0], [[5, 0], [0, 5]], "nothing was mapped"),
    ],
)
def test_refuses(mapped: list[float], sample: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adjusted_areas(mapped, sample, ["A", "B"])
