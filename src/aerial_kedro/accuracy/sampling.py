"""A probability sample of the map's cells: how many, how many of each stratum, and which.

References
----------
Olofsson, P. et al. (2014), "Good practices for estimating area and assessing accuracy of land
change", Remote Sensing of Environment 148, 42-57: equation 13 for the size, section 5 for the
allocation.
"""

import hashlib
import logging
import math
from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from aerial_kedro.accuracy.stratified import Floats
from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import CheckedModel

LOGGER = logging.getLogger(__name__)

CHANGE = "change"
"""Name of the stratum of mapped change."""

_FEWEST = 2  # cells of a stratum of which a spread is seen


class SamplingRules(CheckedModel):
    """How large a reference sample is, and how it is shared out.

    Parameters
    ----------
    standard_error
        Standard error of the overall accuracy that is asked for.
    expected_accuracy
        User's accuracy that the classes of the map are expected to have.
    expected_of
        The same of some strata, by name.
    fewest
        Cells of each stratum at least, so that of a rare one something is known.
    most
        Cells of the sample at most; None for no limit.
    """

    standard_error: float = Field(gt=0, lt=0.5)
    expected_accuracy: float = Field(gt=0, lt=1)
    expected_of: dict[str, float] = Field(default_factory=dict)
    fewest: int = Field(ge=_FEWEST)
    most: int | None = Field(default=None, ge=_FEWEST)

    @model_validator(mode="after")
    def _are_shares(self) -> Self:
        for name, value in self.expected_of.items():
            if not 0 <= value <= 1:
                raise ValueError(f"the accuracy expected of {name!r} is {value}: give 0 to 1")
        return self


class Stratum(CheckedModel):
    """A stratum of the design.

    Parameters
    ----------
    name
        What the map showed when the sample was drawn.
    cells
        Number of its cells.
    drawn
        Number of those drawn.
    cells_by_year
        Those of its cells that the map shows in each year.
    """

    name: str
    cells: int = Field(gt=0)
    drawn: int = Field(gt=0)
    cells_by_year: dict[str, int]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.drawn > self.cells:
            raise ValueError(f"{self.drawn} of {self.cells} cells of {self.name} cannot be drawn")
        return self

    @property
    def probability(self) -> float:
        """Probability of each of its cells to be drawn."""
        return self.drawn / self.cells


class SampledCell(CheckedModel):
    """A cell that was drawn, and the years in which it is to be interpreted."""

    sample_id: str
    cell_id: str
    stratum: str
    years: list[int] = Field(min_length=1)


class SampleDesign(CheckedModel):
    """All that estimates need to know of how a sample was drawn.

    Parameters
    ----------
    model
        Model that made the map.
    map_key
        Names what the map showed when the sample was drawn.
    years
        Years of the sample, the last two of the map's.
    classes
        Classes of the map.
    colours
        Those that the user gave them, class to ``#rrggbb``; the fingerprint is not of them.
    cell_area_m2
        Ground that a cell covers.
    seed
        Seed of the draw.
    strata, cells
        The strata, and the cells that were drawn.
    fingerprint
        Of all these, so that an edited file is found.
    """

    model: str
    map_key: str
    years: list[int] = Field(min_length=1, max_length=2)
    classes: list[str]
    colours: dict[str, str] = Field(default_factory=dict)
    cell_area_m2: float = Field(gt=0)
    seed: int
    strata: list[Stratum] = Field(min_length=1)
    cells: list[SampledCell]
    fingerprint: str = ""

    @property
    def cell_ids(self) -> set[str]:
        """Names of the cells that were drawn."""
        return {each.cell_id for each in self.cells}

    def signed(self) -> "SampleDesign":
        """Give the design with its fingerprint."""
        return self.model_copy(update={"fingerprint": self._fingerprint()})

    def check(self) -> None:
        """Refuse a design that was edited since it was drawn.

        Raises
        ------
        AerialError
            If its fingerprint is not that of its strata and cells.
        """
        if self.fingerprint != self._fingerprint():
            raise AerialError(
                "The design of the reference sample (07_model_output/reference_design.json) was "
                "changed after the draw: its strata and cells are not those of its fingerprint. "
                "Bring the file back as it was; a new sample needs new answers."
            )

    def _fingerprint(self) -> str:
        text = self.model_dump_json(exclude={"fingerprint", "colours"})
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def sample_size(weights: Floats, accuracies: Floats, standard_error: float) -> int:
    r"""Determine how many cells a standard error of the overall accuracy takes (equation 13).

    .. math:: n \approx \left(\frac{\sum W_i S_i}{S(\hat O)}\right)^2, \quad S_i = \sqrt{U_i(1-U_i)}

    Parameters
    ----------
    weights
        Share of the map that each stratum has, ``(strata,)``.
    accuracies
        User's accuracy expected in each, ``(strata,)``.
    standard_error
        The one asked for.

    Examples
    --------
    That of the paper's section 5.1.1:

    >>> weights = np.array([0.02, 0.015, 0.32, 0.645])
    >>> sample_size(weights, np.array([0.7, 0.6, 0.9, 0.95]), 0.01)
    641
    """
    deviations = np.sqrt(accuracies * (1 - accuracies))
    return round(float(weights @ deviations / standard_error) ** 2)


def allocate(sizes: Mapping[str, int], rules: SamplingRules) -> dict[str, int]:
    """Share the sample out among strata: a floor for rare ones, the rest by their size.

    Parameters
    ----------
    sizes
        Stratum to the number of its cells.
    rules
        How large the sample is.

    Returns
    -------
    dict
        Stratum to the number of cells to draw: never more than it has. Where the floors of all
        strata take more than `sample_size` says, the sample is so much larger; where they take
        more than `SamplingRules.most`, all have an even share of that.

    Raises
    ------
    AerialError
        If even two cells a stratum are more than the limit.
    """
    names, cells = list(sizes), np.array(list(sizes.values()), dtype=float)
    expected = [rules.expected_of.get(name, rules.expected_accuracy) for name in names]
    weights = cells / cells.sum()
    wanted = sample_size(weights, np.array(expected), rules.standard_error)
    limit = math.inf if rules.most is None else rules.most
    fewest = min(rules.fewest, int(min(limit, 10**9) // len(names)))
    if fewest < _FEWEST:
        raise AerialError(
            f"The map has {len(names)} strata, of each of which two cells are needed: give "
            f"--params=reference.most={_FEWEST * len(names)} or more, not {rules.most}."
        )
    if fewest < rules.fewest:
        LOGGER.warning(
            "Of each of the %d strata %d cells are drawn, not reference.fewest=%d, which would be "
            "more than reference.most=%d", len(names), fewest, rules.fewest, rules.most,
        )  # fmt: skip
    drawn = _share_out(cells, min(wanted, limit), fewest)
    if (total := int(drawn.sum())) > wanted:
        LOGGER.info(
            "%d cells would give the standard error asked for; at least %d of each stratum make it "
            "%d", wanted, fewest, total,
        )  # fmt: skip
    return dict(zip(names, drawn.tolist(), strict=True))


def _share_out(cells: Floats, total: float, fewest: int) -> NDArray[np.int64]:
    """Give rare strata the floor and the others the rest, until no other falls below it."""
    rare = np.zeros(len(cells), dtype=bool)
    while True:
        rest = total - np.minimum(cells, fewest)[rare].sum()
        common = cells[~rare].sum()
        share = np.where(rare, fewest, max(rest, 0) * cells / max(common, 1))
        below = ~rare & (share < fewest)
        if not below.any():
            # Rounded down: the sum stays within the limit.
            return np.minimum(cells, np.floor(share)).astype(np.int64)
        rare |= below


class Draw:
    """The draw of each stratum's cells by their numbers, the smallest first, part by part.

    Parameters
    ----------
    wanted
        Stratum, by its position, to the number of cells to draw.
    """

    def __init__(self, wanted: Mapping[int, int]) -> None:
        self._wanted = dict(wanted)
        self._best = {at: (np.empty(0), np.empty(0, np.int64)) for at in wanted}

    def look_at(self, numbers: Floats, strata: NDArray[np.int64], first: int) -> None:
        """Consider some cells.

        Parameters
        ----------
        numbers, strata
            A random number and the stratum of each, ``(n,)``; cells of other strata are passed.
        first
            Position of the first of them among all cells.
        """
        for at, count in self._wanted.items():
            own = np.flatnonzero(strata == at)
            best, places = self._best[at]
            best = np.concatenate([best, numbers[own]])
            places = np.concatenate([places, own + first])
            smallest = np.argsort(best, kind="stable")[:count]
            self._best[at] = best[smallest], places[smallest]

    @property
    def drawn(self) -> dict[int, NDArray[np.int64]]:
        """Positions of the cells drawn in each stratum."""
        return {at: places for at, (_, places) in self._best.items()}


def name_cells(cells: Iterable[str], seed: int, map_key: str) -> dict[str, str]:
    """Put drawn cells in an order that says nothing of them, and name them by it.

    Returns
    -------
    dict
        Cell to the sample's name of it, in the new order. The names begin with four digits of the
        sample, so that another's are not taken for them.

    Examples
    --------
    >>> sorted(name_cells(["a#01", "b#07"], 1, "3fa29c").values())
    ['3296-0001', '3296-0002']
    """

    def digest(text: str) -> str:
        return hashlib.sha256(f"{seed} {map_key} {text}".encode()).hexdigest()

    key = digest("")[:4]
    return {
        cell: f"{key}-{number:04d}"
        for number, cell in enumerate(sorted(cells, key=digest), start=1)
    }
