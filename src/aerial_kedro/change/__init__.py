"""Change of land cover between two years, as a probability for each place."""
