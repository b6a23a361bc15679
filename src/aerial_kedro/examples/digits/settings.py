"""Settings of the digits tutorial."""

from typing import Annotated

from pydantic import BaseModel, Field

from aerial_kedro.parameters import CheckedModel

DIGITS, DOWNLOAD = "digits", "digits_download"
"""Tags of nodes that need neither Spark nor its cluster."""
Regularization = Annotated[float, Field(strict=True, ge=1e-9, le=1e9, allow_inf_nan=False)]
"""Strength of the regularisation, the inverse of scikit-learn's ``C``."""


class DigitsRunParameters(BaseModel):
    """The tutorial's flat run parameters.

    Parameters
    ----------
    digits_root
        Folder of the four MNIST files; None for scikit-learn's digits.
    regularization
        Strength of the penalty of logistic regression.
    """

    digits_root: str | None
    regularization: Regularization


class DownloadSettings(CheckedModel):
    """Where the files are fetched from.

    Parameters
    ----------
    base_url
        What stands before the names of the files; https, or http on this machine.
    timeout_s
        Seconds that a server may be silent.
    attempts
        How often to ask for a file.
    """

    base_url: str
    timeout_s: float = Field(strict=True, gt=0, allow_inf_nan=False)
    attempts: int = Field(strict=True, ge=1, le=20)


class SweepSettings(CheckedModel):
    """Which strengths of regularisation to compare, and on how many images.

    Parameters
    ----------
    values
        The strengths.
    images
        How many training images to fit on, and at most as many others to evaluate on.
    """

    values: list[Regularization] = Field(min_length=1)
    images: int = Field(strict=True, ge=20)


class NetworkSettings(CheckedModel):
    """Training of the network that the regression is compared with.

    Parameters
    ----------
    steps
        Batches to learn from.
    batch
        Images in each.
    learning_rate
        The highest of the schedule.
    """

    steps: int = Field(strict=True, ge=10)
    batch: int = Field(strict=True, ge=1)
    learning_rate: float = Field(strict=True, gt=0, allow_inf_nan=False)


class DigitsSettings(CheckedModel):
    """Settings of the digits tutorial, without the run parameters.

    Parameters
    ----------
    seed
        Seed of every random choice.
    check_hashes
        Whether the files must be MNIST's own. Off for other digits in the same format.
    test_share
        Share of scikit-learn's digits to test with; they come undivided.
    sample
        How many random digits to show.
    missed
        How many misread digits to show at most.
    sweep, network
        Settings of the comparison of strengths, and of the network.
    """

    seed: int = Field(strict=True, ge=0, lt=2**32)
    check_hashes: bool = Field(strict=True)
    test_share: float = Field(strict=True, gt=0, lt=1)
    sample: int = Field(strict=True, ge=1, le=200)
    missed: int = Field(strict=True, ge=0, le=500)
    sweep: SweepSettings
    network: NetworkSettings
