"""Grouping of nodes, so that the graph shows the steps of the job and opens into their nodes."""

from kedro.pipeline import Node, Pipeline


def group(nodes: list[Node | Pipeline] | Pipeline, name: str) -> Pipeline:
    """Put nodes into a namespace and under a tag of one name; datasets keep their names.

    Parameters
    ----------
    nodes
        The nodes.
    name
        Of the namespace and the tag.
    """
    return Pipeline(nodes, namespace=name, prefix_datasets_with_namespace=False, tags=[name])
