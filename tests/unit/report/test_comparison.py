"""The page of a comparison."""

from __future__ import annotations

from aerial_kedro.accuracy.ranking import rank_models
from aerial_kedro.report.comparison import ranking_figure, render_comparison
from aerial_kedro.report.figures import figure_svg
from tests.unit.compared import compared, evaluated

CLOSE = rank_models(
    [
        compared("efficientnet_lite0.random_forest.deep", evaluated(36)),
        compared("efficientnet_lite2.logistic_regression.plain", evaluated(37)),
    ]
)


def test_a_page_holds_every_model_and_what_to_beware_of() -> None:
    page = render_comparison(CLOSE, "today", "0123456789abcdef", 1234)
    assert page.index("logistic regression, plain<br>") < page.index("random forest, deep<br>")
    assert page.count('<th scope="row">') == 2
    assert "num_trees 60" in page
    assert "class_weights" not in page
    assert "may be chance" in page
    assert "1,234 tiles, catalog 0123456789ab<" in page


def test_a_page_needs_nothing_from_elsewhere_and_escapes_names() -> None:
    odd = rank_models([compared("a<b>.random_forest.x&y", evaluated(30))])
    page = render_comparison(odd, "today", "ab", 1)
    assert "a&lt;b&gt;" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_the_picture_names_every_model() -> None:
    svg = figure_svg(ranking_figure(CLOSE)).decode()
    for text in ("efficientnet lite0", "efficientnet lite2", "random forest", "plain"):
        assert text in svg


def test_a_model_without_an_error_is_drawn() -> None:
    figure_svg(ranking_figure(rank_models([compared("a.f.x", evaluated(40), evaluated(40))])))
