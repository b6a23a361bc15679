"""Explanations of a tile's class: the parts of the picture that matter, and similar tiles."""
