"""Classifiers on features: Spark ML's, with what is needed to use them again."""
