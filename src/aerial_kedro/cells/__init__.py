"""Cells: the seven by seven squares of a tile that one pass of the network tells apart."""
