"""Training, validation and test: by spatial block, by region, or at random."""
