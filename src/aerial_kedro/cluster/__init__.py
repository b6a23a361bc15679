"""The Spark session, its workers, and blob storage with its one credential."""
