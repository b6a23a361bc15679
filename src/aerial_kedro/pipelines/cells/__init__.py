"""Cells: the classifier of the squares of 32 m in a tile, and the fine map that it makes."""
