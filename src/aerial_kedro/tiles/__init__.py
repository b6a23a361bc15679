"""Tiles: the grid they lie on, their pixels, their land-cover labels and their splits."""
