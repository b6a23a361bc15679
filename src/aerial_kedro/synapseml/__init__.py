"""SynapseML as a plug-in: its image featurizer as an engine, its classifiers as a pipeline."""
