"""Settings of conf/base/spark.yml that make small runs quick."""

import subprocess
from pathlib import Path

import yaml

from aerial_kedro.cluster.spark import find_java_home
from tests.conftest import PROJECT

SETTINGS = yaml.safe_load((PROJECT / "conf/base/spark.yml").read_text(encoding="utf-8"))


def test_java_knows_its_options() -> None:
    """A run would not say so: what Java does not know it passes over, as other Javas have to."""
    options = SETTINGS["spark.driver.extraJavaOptions"].split()
    options.remove("-XX:+IgnoreUnrecognizedVMOptions")
    java = Path(find_java_home()) / "bin" / "java"
    subprocess.run([java, *options, "-version"], check=True, capture_output=True)
