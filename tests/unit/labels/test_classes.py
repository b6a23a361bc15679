import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses, read_legend
from tests.builders import CLASSES


def test_tables_know_their_classes() -> None:
    assert CLASSES.names == ["Forest", "Cultivated", "Developed", "Water"]
    assert CLASSES.trained == ["Forest", "Cultivated", "Developed"]
    assert CLASSES.class_of_code[90] == "Forest"


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ({"codes": {"A": [1, 2], "B": [2]}}, "code 2 is in both 'A' and 'B'"),
        ({"codes": {"A": [1], "B": [2]}, "background": [1]}, "code 1 of 'A' is also a background"),
        ({"codes": {"A": [1], "B": [2]}, "excluded": ["C"]}, r"\['C'\] are not in the table"),
        ({"codes": {"A": [1], "unsure ": [2]}}, "cannot be called 'unsure '.*abstains"),
        ({"codes": {"A": [1]}}, "at least 2"),
        ({"codes": {"A": [1], "B": [2]}, "minimum": 1}, "Extra inputs"),
    ],
)
def test_ambiguous_tables_are_refused(table: dict, match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        LandCoverClasses.model_validate(table)


def test_nlcd_codes_and_background_are_accepted() -> None:
    CLASSES.check_codes([11.0, 21.0, 41.0, 0.0, 127.0], "nlcd.tif")


def test_a_recoded_raster_is_refused_with_its_codes() -> None:
    with pytest.raises(AerialError, match=re.escape("codes 1, 2, 3, 4, 5, 6, 7, 8,")) as refusal:
        CLASSES.check_codes(range(1, 9), "recoded.tif")
    assert "recoded.tif" in str(refusal.value)
    assert "land_cover.codes" in str(refusal.value)


def test_one_strange_code_is_named_beside_the_known() -> None:
    with pytest.raises(AerialError, match=r"21, 41, 99, of which 99 are not in the class table"):
        CLASSES.check_codes([41, 21, 99], "nlcd.tif")


NLCD_1992 = [11, 12, 21, 22, 23, 31, 32, 33, 41, 42, 43, 51, 61, 71, 81, 82, 83, 84, 85, 91, 92]


def test_the_legend_of_1992_is_named_and_its_table_is_in_the_documents() -> None:
    with pytest.raises(AerialError, match=r"32, 33, 61, .*in 1992.*docs/imagery\.md"):
        CLASSES.check_codes([11, 12, 21, 22, 23, 41, 42, 43, 81, 82, 32, 33, 61, 91], "nlcd.tif")
    page = (Path(__file__).parents[3] / "docs/imagery.md").read_text(encoding="utf-8")
    block = next(part for part in page.split("```yaml")[1:] if part.startswith("\nland_cover"))
    table = LandCoverClasses.model_validate(yaml.safe_load(block.split("```")[0])["land_cover"])
    table.check_codes(NLCD_1992, "nlcd.tif")
    assert sorted(table.class_of_code) == NLCD_1992


def test_other_strange_codes_are_not_of_1992() -> None:
    for codes in ([32, 33], [41, 32, 99]):
        with pytest.raises(AerialError, match="not NLCD as published"):
            CLASSES.check_codes(codes, "nlcd.tif")


def test_codes_that_are_no_whole_numbers_are_refused() -> None:
    with pytest.raises(AerialError, match=r"41\.5"):
        CLASSES.check_codes([41, 41.5], "elevation.tif")


def test_a_raster_of_background_alone_is_refused() -> None:
    with pytest.raises(AerialError, match="the codes 0, of which none is in the class table"):
        CLASSES.check_codes([0], "ocean.tif")


def test_a_raster_without_any_code_is_refused() -> None:
    with pytest.raises(AerialError, match="holds no code"):
        CLASSES.check_codes([], "empty.tif")


def test_long_lists_of_codes_are_cut() -> None:
    with pytest.raises(AerialError, match=r"118, 119 … \(900 in all\)"):
        CLASSES.check_codes(range(100, 1000), "elevation.tif")


def test_a_legend_is_read_as_maps_made_here_write_it() -> None:
    assert read_legend("", "nlcd.tif") == ()
    assert read_legend("1 Barren, 12 Row crop", "map.tif") == ((1, "Barren"), (12, "Row crop"))


@pytest.mark.parametrize("text", ["Barren, Forest", "1, 2", "1 Barren; 2 Forest", "1.5 A, 2 B"])
def test_a_legend_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(AerialError, match=r"tag CLASSES of map\.tif"):
        read_legend(text, "map.tif")
