"""Labelling: which cells people should look at, and the page on which they do."""
