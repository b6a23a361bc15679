"""Land-cover labels: which codes make which class, and each class's share of a tile."""
