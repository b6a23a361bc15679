"""What a command that scores may ask of features."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from aerial_kedro.features.engines import AUTO


class FeatureRequest(BaseModel):
    """The run parameters of features that ``--params`` holds; None for those it does not.

    Parameters
    ----------
    backbone, engine, precision
        Which features.
    weights_path, pooling
        Of a backbone's export.
    """

    # A file of weights may be called 2018.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    backbone: str | None = None
    engine: str | None = None
    precision: str | None = None
    weights_path: str | None = None
    pooling: str | None = None

    def others_than(self, own: Mapping[str, str]) -> list[str]:
        """List what asks for other features than a model's own, as ``name=value``.

        Parameters
        ----------
        own
            The model's ``backbone``, ``engine`` and ``precision``. Its backbone is exported
            already, so that nothing which is said of an export agrees.

        Examples
        --------
        >>> own = {"backbone": "alexnet", "engine": "torch", "precision": "fp32"}
        >>> asked = FeatureRequest(backbone="alexnet", engine="auto", precision="int8")
        >>> asked.others_than(own)
        ['precision=int8']
        """
        asked = self.model_dump(exclude_none=True).items()
        return [f"{name}={value}" for name, value in asked if value not in {AUTO, own.get(name)}]
