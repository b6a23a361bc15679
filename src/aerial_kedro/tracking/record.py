"""What a node has to add to the run history, as plain data."""

from pydantic import Field

from aerial_kedro.parameters import CheckedModel


class UsedData(CheckedModel):
    """Data that a run used; runs that used the same show the same name and digest.

    Parameters
    ----------
    name, digest
        Name of the data, and a digest of its content.
    facts
        What else is known of it, such as its source and licence.
    """

    name: str
    digest: str
    facts: dict[str, str] = Field(default_factory=dict)


class ChildRun(CheckedModel):
    """One of several models that a run compared: a run of its own below that run.

    Parameters
    ----------
    name
        Name of the child run.
    parameters, metrics, tags
        What MLflow keeps of it.
    """

    name: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str] = Field(default_factory=dict)


class RunRecord(CheckedModel):
    """What a node adds to the run history: `RunHistoryHook` logs every one that a node returns.

    Parameters
    ----------
    metrics
        Name to figure.
    tags
        Name to text.
    data
        Data that the run used for training.
    children
        Runs below this one.
    """

    metrics: dict[str, float] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    data: list[UsedData] = Field(default_factory=list)
    children: list[ChildRun] = Field(default_factory=list)
