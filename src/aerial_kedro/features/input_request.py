"""The run parameters that say how the pixels are given to a network."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from aerial_kedro.parameters import CheckedModel, split_items

_CHANNELS = 3


def _three(value: Any) -> Any:
    """Read ``0.43/0.41/0.30``, or one number for all channels."""
    items = split_items(value)
    if not isinstance(items, list | tuple):
        return items
    if len(items) not in {1, _CHANNELS}:
        raise ValueError("give three numbers, such as 0.43/0.411/0.296, or one for all channels")
    return items * _CHANNELS if len(items) == 1 else items


_Share = Annotated[float, Field(ge=0, le=1)]
_Positive = Annotated[float, Field(gt=0, le=1)]

Channels = Annotated[tuple[_Share, _Share, _Share], BeforeValidator(_three)]
"""A number of red, green and blue each, of pixels scaled to 0–1: ``A/B/C`` or one for all."""

Deviations = Annotated[tuple[_Positive, _Positive, _Positive], BeforeValidator(_three)]
"""The same, and none is 0."""

InputSize = Annotated[int, Field(ge=32, le=1024)]
"""Side of a network's input in pixels."""


class InputRequest(CheckedModel):
    """What the run asks of a network's preprocessing; None where the weights say it.

    Parameters
    ----------
    mean, std
        ``input_mean`` and ``input_std``: normalisation of pixels scaled to 0–1.
    size
        ``input_size``: side of the network's input in pixels.

    Examples
    --------
    >>> InputRequest(mean="0.43/0.411/0.296", std=0.2).model_dump(exclude_none=True)
    {'mean': (0.43, 0.411, 0.296), 'std': (0.2, 0.2, 0.2)}
    """

    mean: Channels | None = None
    std: Deviations | None = None
    size: InputSize | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Those that are asked for, by the names of the run parameters."""
        return {f"input_{name}": each for name, each in self.model_dump(exclude_none=True).items()}
