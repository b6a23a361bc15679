"""The cluster environment on one machine: a blob service, a Spark master, two workers, faults."""
