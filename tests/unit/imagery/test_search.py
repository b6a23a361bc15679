import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.search import SearchRequest, read_request
from aerial_kedro.parameters import check_parameters

BOX = (-117.8, 34.0, -117.6, 34.2)


@pytest.mark.parametrize(
    "bbox", [BOX, list(BOX), "-117.8/34.0/-117.6/34.2", "[-117.8,34,-117.6,34.2]"]
)
def test_a_box_is_a_list_or_a_word(bbox: object) -> None:
    assert SearchRequest.model_validate({"bbox": bbox}).bbox == BOX


@pytest.mark.parametrize("years", [[2020, 2018, 2018], "2018/2020", (2018, 2020)])
def test_years_are_a_list_or_a_word(years: object) -> None:
    assert SearchRequest.model_validate({"years": years}).years == (2018, 2020)


def test_one_year_is_enough() -> None:
    assert SearchRequest.model_validate({"years": 2018}).years == (2018,)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"bbox": "1/2/3"}, "four numbers"),
        ({"bbox": [34.0, -117.8, 34.2, -117.6]}, "latitudes"),
        ({"bbox": [-190, 34, -117, 35]}, "longitudes"),
        ({"bbox": [-117.6, 34.0, -117.8, 34.2]}, "west, south, east, north"),
        ({"bbox": [-117.8, 34.0, -117.8, 34.2]}, "must not be empty"),
        ({"years": 1066}, r"years\.0=1066: give a number greater than or equal to 1930"),
        ({"max_scenes": 0}, "max_scenes"),
        ({"api_url": "http://example.org/stac"}, "not encrypted"),
        ({"api_url": "file:///etc"}, "not a plain"),
        ({"api_url": "https://example.org/stac?key=1"}, "without a query"),
        ({"box": BOX}, r"acquisition\.box"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(
    parameters: dict[str, object], reason: str
) -> None:
    with pytest.raises(AerialError, match=reason):
        check_parameters(SearchRequest, parameters, "acquisition")


@pytest.mark.parametrize(
    ("parameters", "missing"),
    [
        ({}, "acquisition.bbox and acquisition.years not set"),
        ({"bbox": BOX}, "acquisition.years not set"),
        ({"years": 2018}, "acquisition.bbox not set"),
    ],
)
def test_place_and_years_must_be_given(parameters: dict[str, object], missing: str) -> None:
    with pytest.raises(AerialError, match=rf"^{missing}.*--params=acquisition\.bbox="):
        read_request(parameters)
