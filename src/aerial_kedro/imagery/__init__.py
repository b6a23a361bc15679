"""Imagery on the web: where it may come from, signatures, search, lists of scenes."""
