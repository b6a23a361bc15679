"""Scenes: addresses, headers and limits of files, and windows read from them."""
