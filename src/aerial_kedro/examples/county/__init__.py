"""The made-up county: an embedded sample with land cover, scenes of two years, and the truth."""
