"""Datasets of our own: the only place where the project reads and writes."""
