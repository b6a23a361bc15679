"""Facts of a run that a report tells."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class RunFacts(BaseModel):
    """When, where and with what a run was made.

    Parameters
    ----------
    created
        Local time, in words.
    python, processor
        Of the driver.
    versions
        Package to version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    created: str
    python: str
    processor: str
    versions: dict[str, str]
