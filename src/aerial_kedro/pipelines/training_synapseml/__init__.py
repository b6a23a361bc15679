"""SynapseML's flavour of training: the 2017 sample's path, on the main job's features."""

from aerial_kedro.pipelines.training_synapseml.pipeline import create_pipeline

__all__ = ["create_pipeline"]
