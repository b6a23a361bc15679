"""The regression, the network, and what is said of their mistakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from aerial_kedro.accuracy.confusion import largest_confusions
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.examples.digits.data import Digits
from aerial_kedro.examples.digits.evaluation import (
    confusion_sentences,
    evaluate_model,
    surest_mistakes,
)
from aerial_kedro.examples.digits.figures import choose_sample, sample_figure
from aerial_kedro.examples.digits.network import network_probabilities
from aerial_kedro.examples.digits.regression import (
    Sweep,
    SweepPoint,
    fit_regression,
    regression_probabilities,
    sweep_regularization,
)
from aerial_kedro.examples.digits.settings import SweepSettings
from tests.unit.examples.digits.idx_files import draw_digits
from tests.unit.examples.digits.settings import make_settings

TRAIN, TEST = draw_digits(200, side=10), draw_digits(60, seed=1, side=10)


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(TRAIN["images"], TRAIN["labels"], TEST["images"], TEST["labels"])


def sweep(digits: Digits, values: list[float], *, images: int) -> Sweep:
    settings = make_settings(sweep={"values": values, "images": images}, seed=1)
    return sweep_regularization(digits, settings)


def test_the_regression_learns_what_a_line_can_tell(digits: Digits) -> None:
    model, registered = fit_regression(digits, 0.8, make_settings())
    assert registered is model
    chances = regression_probabilities(model, TEST["images"])
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_array_equal(chances.argmax(axis=1), TEST["labels"])


def test_regularization_is_the_inverse_of_c_and_keeps_weights_small(digits: Digits) -> None:
    weak, strong = (fit_regression(digits, value, make_settings())[0] for value in (0.1, 10))
    assert weak.estimator.C == 10
    assert strong.estimator.C == 0.1
    norms = [np.linalg.norm([one.coef_ for one in each.estimators_]) for each in (weak, strong)]
    assert norms[1] < norms[0] / 2


def test_a_digit_that_training_lacks_has_no_probability(digits: Digits) -> None:
    kept = TRAIN["labels"] != 4
    fewer = replace(digits, train_images=TRAIN["images"][kept], train_labels=TRAIN["labels"][kept])
    model, _ = fit_regression(fewer, 0.8, make_settings())
    chances = regression_probabilities(model, TEST["images"])
    assert chances.shape == (60, 10)
    assert (chances[:, 4] == 0).all()
    others = TEST["labels"] != 4
    np.testing.assert_array_equal(chances[others].argmax(axis=1), TEST["labels"][others])


def test_the_network_learns_and_leaves_torch_as_it_was(digits: Digits) -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    chances = network_probabilities(digits, make_settings())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert (chances.argmax(axis=1) == TEST["labels"]).mean() > 0.9


def test_the_network_is_the_same_for_the_same_seed(digits: Digits) -> None:
    one, again, other = (
        network_probabilities(digits, make_settings(seed=seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("shape", [(4, 4), (5, 7), (28, 28), (33, 9)])
def test_the_network_takes_images_of_any_size(shape: tuple[int, int]) -> None:
    images, labels = np.zeros((20, *shape), np.uint8), np.arange(20, dtype=np.uint8) % 10
    settings = make_settings(network={"steps": 10, "batch": 8, "learning_rate": 0.001}, seed=0)
    digits = Digits(images, labels, images, labels)
    assert network_probabilities(digits, settings).shape == (20, 10)


def test_the_sweep_sees_no_test_image(digits: Digits) -> None:
    hidden = replace(digits, test_images=np.zeros_like(digits.test_images))
    one, other = (sweep(each, [10.0, 0.1], images=50) for each in (digits, hidden))
    assert one == other
    assert (one.fitted, one.validated) == (50, 50)
    assert [point.regularization for point in one.points] == [0.1, 10.0]


def test_the_sweep_evaluates_on_images_that_the_fit_has_not_seen() -> None:
    """Noise can be learnt by heart, and not be read."""
    generator = np.random.default_rng(3)
    images = generator.integers(0, 256, (120, 12, 12), dtype=np.uint8)
    noise = Digits(images, generator.integers(0, 10, 120).astype(np.uint8), images, images[:, 0, 0])
    (point,) = sweep(noise, [0.01], images=60).points
    assert point.train_accuracy > 0.95
    assert point.validation_accuracy < 0.4


def test_the_sweep_takes_halves_of_few_images(digits: Digits) -> None:
    found = sweep(digits, [1.0], images=5000)
    assert (found.fitted, found.validated) == (100, 100)


def test_of_equals_the_most_regularised_is_best() -> None:
    points = [
        SweepPoint(regularization=value, train_accuracy=1, validation_accuracy=accuracy)
        for value, accuracy in ((0.1, 0.9), (1.0, 0.9), (10.0, 0.8))
    ]
    compared = Sweep(fitted=100, validated=100, points=points)
    assert compared.best.regularization == 1.0
    assert compared.chance == pytest.approx(1.96 * 0.03)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "half"])
def test_a_sweep_over_nonsense_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        SweepSettings.model_validate({"values": [value], "images": 100})


def test_confusions_are_put_in_words_the_most_frequent_first() -> None:
    labels = np.array([4] * 5 + [8] * 4 + [1] * 3, dtype=np.uint8)
    read = np.array([4, 4, 9, 9, 9, 8, 8, 1, 3, 1, 1, 1])
    assert confusion_sentences(evaluate_model(labels, np.eye(10)[read]).evaluation) == [
        "Of 5 test images of a 4, 3 were taken for a 9.",
        "Of 4 test images of an 8, 1 was taken for a 1.",
        "Of 4 test images of an 8, 1 was taken for a 3.",
    ]


def test_where_nothing_is_wrong_nothing_is_confused() -> None:
    labels = np.arange(10, dtype=np.uint8)
    found = evaluate_model(labels, np.eye(10))
    assert isinstance(found.evaluation, Evaluation)
    assert found.evaluation.accuracy == 1
    assert largest_confusions(found.evaluation.confusion, found.evaluation.classes, 5) == []
    assert confusion_sentences(found.evaluation) == []
    assert surest_mistakes(found, labels, 5) == []


def test_mistakes_come_the_surest_first() -> None:
    chances = np.full((4, 10), 0.01)
    chances[range(4), [7, 1, 2, 3]] = [0.5, 0.9, 0.7, 0.6]
    labels = np.array([7, 0, 0, 0], dtype=np.uint8)
    found = evaluate_model(labels, chances)
    assert surest_mistakes(found, labels, 10) == [1, 2, 3]
    assert surest_mistakes(found, labels, 2) == [1, 2]


def test_the_sample_is_random_by_its_seed_and_none_twice() -> None:
    labels = np.zeros(100, np.uint8)
    one = choose_sample(labels, 30, seed=42)
    assert len(set(one.tolist())) == 30
    np.testing.assert_array_equal(one, choose_sample(labels, 30, seed=42))
    assert not np.array_equal(one, choose_sample(labels, 30, seed=43))
    assert len(choose_sample(labels[:7], 30, seed=42)) == 7


def test_the_sample_is_drawn_ten_in_a_row_with_labels() -> None:
    figure = sample_figure(TRAIN["images"][:13], TRAIN["labels"][:13])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [*map(str, TRAIN["labels"][:13].tolist()), *[""] * 7]
