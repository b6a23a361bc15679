"""Parameters of SynapseML's flavour of training."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from aerial_kedro.synapseml.classifiers import SynapseForestSettings, SynapseRegressionSettings


class SynapseSettings(BaseModel):
    """Settings of its classifiers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    random_forest: SynapseForestSettings
    logistic_regression: SynapseRegressionSettings
