"""Wiring of SynapseML's flavour of training."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.synapseml import SYNAPSEML, nodes


def create_pipeline(**_: object) -> Pipeline:
    """Labelled features of the last training in; two models of SynapseML and their figures out."""
    models = ["synapseml_random_forest", "synapseml_logistic_regression"]
    wired = group(
        [
            Node(
                nodes.train_forest,
                ["labelled_features", "params:synapseml", "params:seed"],
                models[0],
                name="train_random_forest",
            ),
            Node(
                nodes.train_regression,
                ["labelled_features", "params:synapseml"],
                models[1],
                name="train_logistic_regression",
            ),
            node_of(nodes.summarise, [*models, "labelled_features"], "synapseml_summary"),
            node_of(nodes.record_run, "synapseml_summary", "synapseml_record"),
            node_of(nodes.predict_test, [*models, "labelled_features"], "synapseml_predictions"),
        ],
        "training_synapseml",
    )
    return Pipeline(wired, tags=[SYNAPSEML])
