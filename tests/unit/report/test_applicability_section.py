"""Where the model holds, on the page: a map, means, and first of all that it mostly does not."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex

from aerial_kedro.accuracy.applicability import UNKNOWN, ApplicabilitySummary, HeldGround
from aerial_kedro.report.colours import APART, OUTSIDE
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.eyesight import distances
from aerial_kedro.report.maps import SCALE, expected_figure
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.pictures import MapImage
from aerial_kedro.report.thinning import thin_map
from tests.unit.report.conftest import draw_map

TITLE = "<h1>Wells</h1>"


def held(outside: float) -> ApplicabilitySummary:
    years = [
        (2012, HeldGround(tiles=40, expected_accuracy=0.812, outside_share=outside)),
        (2018, HeldGround(tiles=40, expected_accuracy=0.774, outside_share=outside)),
    ]
    return ApplicabilitySummary.of_years("cells", years)


def with_holds(seed: int = 1) -> MapImage:
    """A map whose eastern third is outside."""
    image = draw_map(seed)
    expected = np.where(np.isnan(image.confidence), np.nan, 0.8)
    outside = np.zeros(image.class_index.shape, dtype=bool)
    outside[:, -outside.shape[1] // 3 :] = True
    return MapImage(**{**dict(image), "expected": expected, "outside": outside})


def page(**content: object) -> str:
    return render_report(
        ReportContent.model_validate({"title": "Wells", "created": "today", **content})
    )


def test_the_section_has_means_by_year_and_a_map_of_each() -> None:
    maps = {"2012": with_holds(), "2018": with_holds(2)}
    html = page(applicability=held(0.1), maps=maps)
    section = html[html.index('id="holds"') :]
    assert section.count("Map of the expected accuracy of") == 2
    for text in ("81.2\u00a0%", "77.4\u00a0%", "79.3\u00a0%", "10.0\u00a0%", OUTSIDE):
        assert text in section
    assert 'role="alert"' not in html


def test_maps_without_it_are_not_drawn() -> None:
    html = page(applicability=held(0.1), maps={"2012": draw_map(1)})
    assert 'id="holds"' in html
    assert "Map of the expected accuracy of" not in html


def test_mostly_outside_comes_before_everything_else_on_the_page() -> None:
    html = page(applicability=held(0.7), made_up_seed=1)
    body = html[html.index("<body") :]
    first = body.index("70.0 % of the cells are less like")
    assert first < body.index("Made-up county") < body.index(TITLE)


def test_an_older_model_is_said_not_to_know() -> None:
    html = page(applicability=ApplicabilitySummary())
    assert UNKNOWN in html
    assert 'role="alert"' not in html


def test_a_page_without_a_map_or_scores_has_no_section() -> None:
    assert 'id="holds"' not in page()


def test_outside_is_apart_from_the_whole_scale_to_every_eye() -> None:
    scale = [to_hex(colormaps[SCALE](value)) for value in np.linspace(0, 1, 64)]
    assert distances([OUTSIDE], [*scale, "#ffffff"]).min() >= APART


def test_the_map_shows_expected_accuracy_and_over_it_what_is_outside() -> None:
    axes = expected_figure(with_holds()).axes[0]
    below, over = axes.images
    assert below.get_clim() == (0.5, 1)
    pixels = np.asarray(over.get_array())
    assert (pixels[..., 3] > 0).mean() == pytest.approx(1 / 3, abs=0.02)
    with pytest.raises(ValueError, match="does not say where"):
        expected_figure(draw_map(1))


def test_a_thinned_map_keeps_whole_cells() -> None:
    found = thin_map(with_holds(), longest_px=20)
    assert found.expected is not None
    assert found.outside is not None
    assert found.expected.shape == found.outside.shape == found.class_index.shape
    assert np.nanmin(found.expected) == np.nanmax(found.expected) == pytest.approx(0.8)
    assert 0.2 < found.outside.mean() < 0.45


def test_what_does_not_fit_the_map_is_refused() -> None:
    image = with_holds()
    with pytest.raises(ValueError, match="map's outside has the shape"):
        MapImage(**{**dict(image), "outside": np.zeros((2, 2), dtype=bool)})
