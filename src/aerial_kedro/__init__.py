"""Land cover from aerial imagery: Kedro pipelines on Spark, with an honest account of accuracy."""

from aerial_kedro import surroundings

__version__ = "0.1.0"

surroundings.prepare()  # before any module imports rasterio or Spark
