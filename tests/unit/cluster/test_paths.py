"""Folders of any name are read and written by Spark; the names that cannot be are refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession

from aerial_kedro.cluster.paths import check_letters, literal
from aerial_kedro.datasets.base import Place
from aerial_kedro.datasets.tables import TableDataset
from aerial_kedro.errors import AerialError

NAMES = [
    "a[1]", "a*b", "a?b", "a b", "a%20b", "a#b", "a+b", "aü", "a'b", "a;b", "a&b", "$HOME", "~",
    "~a", "a@b", "a,b", "a=b", 'a"b', "a\\b", "100%", "<a>", "|a",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_tables_and_models_of_a_folder_of_any_name(
    spark_session: SparkSession, tmp_path: Path, name: str
) -> None:
    """What such a name would match as a pattern lies beside it."""
    root, beside = tmp_path / name, ["a1", "axb", "a", "b", "a b"]
    for each in beside:
        (tmp_path / each).mkdir(exist_ok=True)
    table = TableDataset(table="quarantine", filepath=str(root / "quarantine"))
    row = {"image_id": "a", "href": "a.png", "reason": "empty"}
    table.save(pd.DataFrame([row]))
    assert table.exists()
    assert [each.asDict()["image_id"] for each in table.load().collect()] == ["a"]

    frame = spark_session.createDataFrame([(1.0,)], "a double")
    Pipeline(stages=[VectorAssembler(inputCols=["a"], outputCol="b")]).fit(frame).save(
        str(root / "model")
    )
    assert len(PipelineModel.load(literal(str(root / "model"))).stages) == 1
    assert {each.name for each in tmp_path.iterdir()} == {name, *beside}


@pytest.mark.parametrize("name", [*NAMES, "{a}", "a:b", "a::b", "file:x"])
def test_files_of_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    place = Place(str(tmp_path / name))
    place.write_bytes(b"1", "/b/c.json")
    assert place.glob("/*/*.json") == [str(tmp_path / name / "b" / "c.json")]
    place.write_bytes(b"2", "/d/e/c.json")
    assert place.read_bytes("/d/e/c.json") == b"2"
    place.remove("/d")
    assert not place.has("/d")
    assert place.has("/b/c.json")


@pytest.mark.parametrize("root", ["/data/12:30", "/data/{a}", "/data/a}"])
def test_a_folder_whose_name_cannot_be_used(root: str) -> None:
    with pytest.raises(AerialError, match=r"in its path, which .* Give another folder"):
        check_letters(root)


def test_storage_is_not_looked_at() -> None:
    check_letters("abfss://c@a.dfs.core.windows.net/x")
    check_letters("/data/[1], %20")
