"""A small convolutional network: what is possible on the same digits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aerial_kedro.examples.digits.data import BLACK
from aerial_kedro.examples.digits.files import DIGITS
from aerial_kedro.examples.digits.settings import NetworkSettings

_AT_ONCE = 1000


def train_network(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    settings: NetworkSettings,
    *,
    seed: int,
) -> nn.Module:
    """Train two layers of convolutions and two of weights on images of any size from 4 × 4.

    Parameters
    ----------
    images
        ``(n, rows, columns)`` uint8.
    labels
        ``(n,)`` from 0 to 9.
    settings
        Length, batches and learning rate of the training.
    seed
        Seed of the first weights and the order of the images; torch's own generator is left as
        it was.

    Notes
    -----
    The network is so small that threads would wait for one another most of the time: one is faster,
    and gives the same weights on machines with more or fewer cores.
    """
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        network = _build(images.shape[1], images.shape[2])
        optimizer = torch.optim.Adam(network.parameters())
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=settings.steps
        )
        targets = torch.from_numpy(labels.astype(np.int64))
        order = torch.empty(0, dtype=torch.int64)
        for _ in range(settings.steps):
            if not len(order):
                order = torch.randperm(len(images))
            batch, order = order[: settings.batch], order[settings.batch :]
            optimizer.zero_grad()
            scores = network(_as_input(images[batch.numpy()]))
            nn.functional.cross_entropy(scores, targets[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def network_probabilities(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Probabilities of the ten digits, ``(n, 10)``."""
    with torch.inference_mode(), _one_thread():
        parts = [
            torch.softmax(network(_as_input(images[start : start + _AT_ONCE])).double(), dim=1)
            for start in range(0, len(images), _AT_ONCE)
        ]
    return np.asarray(torch.cat(parts).numpy())


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _build(rows: int, columns: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * -(-rows // 4) * -(-columns // 4), 64),
        nn.ReLU(),
        nn.Linear(64, DIGITS),
    )


def _as_input(images: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.array(images))[:, None].float() / BLACK
