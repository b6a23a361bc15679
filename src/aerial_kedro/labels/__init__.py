"""Land-cover labels: the table from codes to classes, and each class's share of a tile."""
