"""The tutorial's page, for a reader who meets a classifier for the first time."""

from aerial_kedro.examples.digits.data import DatasetRecord, Digits
from aerial_kedro.examples.digits.evaluation import ReadDigits, confusion_sentences, surest_mistakes
from aerial_kedro.examples.digits.regression import FittedRegression, Sweep
from aerial_kedro.examples.digits.settings import DigitsSettings
from aerial_kedro.report.content import RunFacts


def draw_page(
    run_facts: RunFacts,
    digits: Digits,
    record: DatasetRecord,
    regularization: float,
    regression: FittedRegression,
    by_regression: ReadDigits,
    by_network: ReadDigits,
    sweep: Sweep,
    settings: DigitsSettings,
) -> tuple[str, object]:
    """Make the page, and its picture of random digits.

    Parameters
    ----------
    run_facts
        When the page is made, among other things.
    digits, record
        The data and what is known of it.
    regularization
        Strength of the regression's penalty.
    regression
        The fitted model.
    by_regression, by_network
        What the two models read on the test images.
    sweep
        Strengths of regularisation compared.
    settings
        Settings of the tutorial.

    Returns
    -------
    page
        A whole HTML document, with every picture in it.
    sample
        Random training images with their labels, a figure of matplotlib's.
    """
    # matplotlib, for the one node that draws.
    from aerial_kedro.examples.digits import figures  # noqa: PLC0415
    from aerial_kedro.report.pages import figure_address, page_environment  # noqa: PLC0415

    chosen = figures.choose_sample(digits.train_labels, settings.sample, seed=settings.seed)
    sample = figures.sample_figure(digits.train_images[chosen], digits.train_labels[chosen])
    wrong = by_regression.predicted != digits.test_labels
    charts = {
        "sample": sample,
        "weights": figures.weights_figure(regression, digits.shape),
        "confusion": figures.digits_confusion_figure(by_regression.evaluation),
        "sweep": figures.sweep_figure(sweep, regularization),
    }
    page = (
        page_environment("aerial_kedro.examples.digits")
        .get_template("digits.html.j2")
        .render(
            created=run_facts.created,
            digits=digits,
            record=record,
            regularization=regularization,
            settings=settings,
            sweep=sweep,
            regression=by_regression,
            network=by_network,
            confusions=confusion_sentences(by_regression.evaluation),
            charts={name: figure_address(figure) for name, figure in charts.items()},
            missed=surest_mistakes(by_regression, digits.test_labels, settings.missed),
            missed_in_all=int(wrong.sum()),
            saved=int((by_network.predicted == digits.test_labels)[wrong].sum()),
            sampled=len(chosen),
            picture=figures.dark_on_white,
        )
    )
    return page, sample
