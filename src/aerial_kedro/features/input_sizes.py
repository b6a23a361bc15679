"""Which sides of input a network takes, tried on it."""

import torch
from torch import nn

from aerial_kedro.features.grain import LARGEST_INPUT, SMALLEST_INPUT, STRIDE, Grain
from aerial_kedro.features.known import BackboneDefinition


def check_input(
    network: nn.Module, definition: BackboneDefinition, size: int, grain: Grain
) -> None:
    """Refuse a side of input that a network does not take.

    Vision transformers and networks with windows know the number of their positions; others must be
    able to halve their maps evenly, or have nothing left of a small input.

    Parameters
    ----------
    network
        Cut before its last layer, in evaluation mode.
    definition
        Its definition, with its own input.
    size
        The side in pixels.
    grain
        What asks for it.

    Raises
    ------
    AerialError
        Naming the nearest that it takes.
    """
    reason = find_fault(network, size)
    if reason is None:
        return
    below = size // STRIDE * STRIDE
    near = [each for each in (below, below + STRIDE) if SMALLEST_INPUT <= each <= LARGEST_INPUT]
    fitting = [each for each in near if each != size and find_fault(network, each) is None]
    raise grain.refuse_input(definition.name, [*fitting, definition.input_size], reason)


def find_fault(network: nn.Module, size: int) -> str | None:
    """Run a network on an input, and return what it complains of, or ONNX would."""
    pools = [each for each in network.modules() if isinstance(each, nn.AdaptiveAvgPool2d)]
    hooks = [each.register_forward_pre_hook(_check_pool) for each in pools]
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 3, size, size))
    except Exception as error:  # noqa: BLE001  # each network has its own way to fail
        return first_line(error)
    finally:
        for each in hooks:
            each.remove()
    return None


def _check_pool(pool: nn.AdaptiveAvgPool2d, inputs: tuple[torch.Tensor]) -> None:
    wanted = pool.output_size if isinstance(pool.output_size, tuple) else (pool.output_size,) * 2
    found = inputs[0].shape[-2:]
    if any(out and side % out for side, out in zip(found, wanted, strict=True)):
        raise ValueError(
            f"it averages maps of {found[0]} positions a side to {wanted[0]}, for which ONNX has "
            "no operator"
        )


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, without its full stop."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
