"""A trained model as a service: pictures in, classes out, without Spark, torch and Kedro."""
