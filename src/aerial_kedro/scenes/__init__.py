"""Scenes: where they are, what their headers say, and windows read from them."""
