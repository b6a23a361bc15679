"""What a cluster is given: a Python for its workers, and the entry file of ``spark-submit``."""
