"""SynapseML as a plug-in: its image featurizer as an engine, its classifiers as a pipeline."""

SYNAPSEML = "synapseml"
"""Tag of the nodes for which Spark is started with SynapseML's Java parts."""
