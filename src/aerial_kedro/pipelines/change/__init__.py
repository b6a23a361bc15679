"""Change of land cover between the years."""
