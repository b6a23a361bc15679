"""Land cover from aerial imagery: Kedro pipelines on Spark, with an honest account of accuracy."""

__version__ = "0.1.0"
