"""A small convolutional network: what is possible on the same digits."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aerial_kedro.examples.digits.data import BLACK, Digits
from aerial_kedro.examples.digits.files import DIGITS
from aerial_kedro.examples.digits.settings import DigitsSettings, NetworkSettings

_AT_ONCE = 1000


def network_probabilities(digits: Digits, settings: DigitsSettings) -> NDArray[np.float64]:
    """Train the network on the training images and let it read the test images.

    It has two layers of convolutions and two of weights, and takes images of any size from 4 × 4.

    Parameters
    ----------
    digits
        The digits.
    settings
        Length, batches and learning rate of the training; seed of the first weights and the order
        of the images. torch's own generator is left as it was.

    Returns
    -------
    numpy.ndarray
        Probabilities of the ten digits for each test image, ``(n, 10)``.

    Notes
    -----
    The network is so small that threads would wait for one another most of the time: one is faster,
    and gives the same weights on machines with more or fewer cores.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = _train(digits, settings.network)
        with torch.inference_mode():
            parts = [
                torch.softmax(network(_as_input(part)).double(), dim=1)
                for part in torch.split(torch.from_numpy(digits.test_images), _AT_ONCE)
            ]
    finally:
        torch.set_num_threads(threads)
    return np.asarray(torch.cat(parts).numpy())


def _train(digits: Digits, settings: NetworkSettings) -> nn.Module:
    rows, columns = digits.shape
    network = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * -(-rows // 4) * -(-columns // 4), 64),
        nn.ReLU(),
        nn.Linear(64, DIGITS),
    )
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps
    )
    images = torch.from_numpy(digits.train_images)
    targets = torch.from_numpy(digits.train_labels.astype(np.int64))
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(settings.steps):
        if not len(order):
            order = torch.randperm(len(images))
        batch, order = order[: settings.batch], order[settings.batch :]
        optimizer.zero_grad()
        scores = network(_as_input(images[batch]))
        nn.functional.cross_entropy(scores, targets[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return network.eval()


def _as_input(images: torch.Tensor) -> torch.Tensor:
    return images[:, None].float() / BLACK
