"""Naming and grouping of nodes, so that the graph shows the steps of the job, which open."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline


def node_of(
    function: Callable[..., Any],
    inputs: str | list[str] | dict[str, str] | None,
    outputs: str | list[str],
) -> Node:
    """Make a node that has its function's name; inputs and outputs are those of `Node`."""
    return Node(function, inputs, outputs, name=function.__name__)


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
