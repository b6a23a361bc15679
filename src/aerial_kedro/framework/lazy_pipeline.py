"""Pipelines that are wired when something looks into them."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Pipeline


class LazyPipeline(Pipeline):
    """A registered pipeline whose nodes, and all that they import, are loaded when asked for.

    Kedro registers every pipeline before it knows which will run, and copies the registry to list
    its names; so the pipelines in it have to be lazy, not the registry.

    Parameters
    ----------
    create
        Makes the pipeline; called once, when an attribute of the pipeline is first looked up.

    Examples
    --------
    >>> def create() -> Pipeline:
    ...     print("wired")
    ...     return Pipeline([])
    >>> lazy = LazyPipeline(create)
    >>> lazy.nodes
    wired
    []
    >>> lazy.describe().splitlines()[0]
    '#### Pipeline execution order ####'
    """

    def __init__(self, create: Callable[[], Pipeline]) -> None:
        # Not Pipeline's own: the attributes that it sets are missing until one is asked for.
        self._create = create

    def __getattr__(self, name: str) -> Any:
        """Wire the pipeline for the first attribute of its own that is asked for."""
        if name.startswith("__") or "_create" not in vars(self):
            raise AttributeError(name)
        vars(self).update(vars(self._create()))
        vars(self).pop("_create", None)
        return getattr(self, name)
