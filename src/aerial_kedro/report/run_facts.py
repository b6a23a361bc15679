"""Facts of a run that a report shows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class RunFacts(BaseModel):
    """When, where and with what a run was made.

    Parameters
    ----------
    created
        Local time of the report, in words.
    python, processor
        The driver's version of Python, and its processor.
    versions
        Package name to version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    created: str
    python: str
    processor: str
    versions: dict[str, str]
