import numpy as np
import pytest
from pydantic import ValidationError

from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.pictures import NO_DATA, MapImage, TilePicture


def make_map(**changes: object) -> MapImage:
    given = {
        "class_index": np.array([[0, 1], [1, NO_DATA]], dtype=np.uint8),
        "classes": ["A", "B"],
        "extent": (0, 0, 448, 448),
        "crs": "EPSG:26915",
    }
    return MapImage.model_validate({**given, **changes})


def test_a_map_names_every_class_that_it_holds() -> None:
    with pytest.raises(ValidationError, match="class numbers \\[1\\]"):
        make_map(classes=["A"])


def test_a_map_and_its_confidence_have_one_shape() -> None:
    with pytest.raises(ValidationError, match="must be equal"):
        make_map(confidence=np.zeros((3, 2)))


def test_an_extent_runs_upwards() -> None:
    with pytest.raises(ValidationError, match="not \\(xmin, ymin, xmax, ymax\\)"):
        make_map(extent=(0, 448, 448, 0))


def test_a_colour_cannot_carry_a_style() -> None:
    with pytest.raises(ValidationError, match=r"colours\.A\n.*match pattern"):
        make_map(colours={"A": "red;background:url(http://example.org)"})


def test_a_picture_is_png_or_jpeg() -> None:
    with pytest.raises(ValidationError, match="neither PNG nor JPEG"):
        TilePicture(picture=b"<svg onload=alert(1)>")


def test_the_chosen_model_is_one_of_those_compared(full_content: ReportContent) -> None:
    assert full_content.training
    other = full_content.training.model_copy(update={"chosen": "xgboost"})
    with pytest.raises(ValidationError, match="'xgboost' is none of those"):
        ReportContent(title="t", created="c", training=other)
