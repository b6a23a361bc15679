"""Everything that the report's page shows, as plain data."""

from typing import Literal, Self

from pydantic import Field, model_validator

from aerial_kedro.accuracy.abstention import AbstentionSummary
from aerial_kedro.accuracy.applicability import ApplicabilitySummary
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.accuracy.shares import ShareComparison
from aerial_kedro.accuracy.validation import ValidationSummary
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.report.cell_content import CellContent, LabelContent
from aerial_kedro.report.pictures import (
    ExplainedTile,
    ImageryPicture,
    MapImage,
    Picture,
    TilePicture,
)
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary


class RunFacts(CheckedModel):
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

    created: str
    python: str
    processor: str
    versions: dict[str, str]


class SourceFacts(CheckedModel):
    """What the data is, for the report's head.

    Parameters
    ----------
    title
        Heading of the report.
    made_up_seed
        Seed of the embedded sample; None for real data.
    facts
        Name and value, in words.
    scene_gsd_m
        Metres a pixel of the coarsest scene; None where there are none.
    caveats
        What to know of the data before figures are used, one a text.
    """

    title: str
    made_up_seed: int | None
    facts: dict[str, str]
    caveats: list[str] = Field(default_factory=list)
    scene_gsd_m: float | None = None


class AreaRow(CheckedModel):
    """Area of one class on one map.

    Parameters
    ----------
    class_name, count, area_km2, share
        What the map shows; ``share`` is of the mapped area, 0–1.
    units
        What ``count`` counts.
    adjusted_km2, adjusted_interval
        Area corrected by the errors seen on test tiles, or in the cells of test blocks (Olofsson et
        al. 2014), and its 95 % interval; None where either could not be estimated.
    """

    class_name: str
    count: int
    units: Literal["tiles", "cells"] = "tiles"
    area_km2: float
    share: float = Field(ge=0, le=1)
    adjusted_km2: float | None = None
    adjusted_interval: Interval | None = None


class UnsureTiles(CheckedModel):
    """The tiles, or cells, of one map that the model decided on, or left open.

    Parameters
    ----------
    count
        All of them on the map.
    unsure
        Those that the map leaves open.
    smoothed
        Those that took another class than their likeliest from their neighbours; None where the
        map is smoothed and they are not counted.
    units
        What is counted.
    """

    count: int = Field(ge=0)
    unsure: int = Field(ge=0)
    smoothed: int | None = Field(ge=0)
    units: Literal["tiles", "cells"] = "tiles"


class ErrorMap(CheckedModel):
    """One year's map of right and wrong tiles.

    Parameters
    ----------
    image
        The map; its classes are `aerial_kedro.report.colours.OUTCOMES`.
    test_tiles, wrong
        Number of test tiles of the year, and of those that are wrong. Along a zone border a cell
        may show no tile of its own, so the picture can differ by a few.
    """

    image: MapImage
    test_tiles: int = Field(ge=0)
    wrong: int = Field(ge=0)


class ChangeCandidate(CheckedModel):
    """A place that may have changed, with its two pictures; true classes where they are known."""

    tile_id: str
    before_class: str
    after_class: str
    probability: float = Field(ge=0, le=1)
    before: Picture
    after: Picture
    lon: float | None = None
    lat: float | None = None
    true_before: str | None = None
    true_after: str | None = None


class PatchCandidate(CheckedModel):
    """A patch of ground that may have changed, with two pictures of it and what is around.

    Parameters
    ----------
    rank
        Its rank by the change to expect.
    before_class, after_class, area_ha
        What it is.
    probability
        Mean probability of change of its cells.
    lon, lat
        A point inside, in degrees.
    before, after
        The pictures, the patch outlined.
    changed_share, true_before, true_after
        Where the truth is known: the share of its cells that truly changed, and the commonest
        true classes.
    """

    rank: int
    before_class: str
    after_class: str
    area_ha: float = Field(gt=0)
    probability: float = Field(ge=0, le=1)
    lon: float
    lat: float
    before: Picture
    after: Picture
    changed_share: float | None = Field(default=None, ge=0, le=1)
    true_before: str | None = None
    true_after: str | None = None


class ReportContent(CheckedModel):
    """Everything on the page; a section whose data is absent is left out of it.

    Parameters
    ----------
    title, created
        Heading, and when the page was made, in words.
    made_up_seed
        Seed of the drawn county where the data is the embedded sample; None for real imagery.
    facts
        What ran and on what data, name to value: roots, years, tile size, backbone, versions.
    caveats
        What to know before the figures are used, one a text.
    catalog, quarantine, split
        The tile catalog in numbers, the tiles that could not be read, and how the tiles were
        divided.
    gallery
        ``{class: [tiles]}``, from the test split.
    worst_errors
        Test tiles that were most confidently wrong.
    explained_errors
        Some of them, with what led to them.
    training
        The classifiers, the choice and the baselines.
    subsets
        The chosen model on other sets of tiles, to be read apart: ``{"mixed tiles": evaluation}``.
    abstention
        What leaving unsure tiles open is worth, on the test split.
    validation
        The chosen model on other divisions of the tiles.
    applicability
        How far the model holds on what it mapped.
    cells
        Where the map is of cells: their classifiers, and the ground that the map has right.
    labels
        Where the map was made from labels alone: these, and what leaving blocks out has shown.
    maps, areas, unsure
        By year.
    imagery, tile_maps
        By year, where the map is of cells: the ground that it shows, and the map of tiles.
    shares
        By year: the map's shares of the land beside the land cover's.
    error_maps
        By year: where the map agrees with the labels.
    change, change_candidates, patch_candidates
        Change between the last two years, and pictures of the likeliest changes: of tiles, and of
        patches of cells.
    """

    title: str
    created: str
    made_up_seed: int | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    caveats: list[str] = Field(default_factory=list)
    catalog: CatalogSummary | None = None
    quarantine: QuarantineSummary | None = None
    split: SplitCheck | None = None
    gallery: dict[str, list[TilePicture]] = Field(default_factory=dict)
    worst_errors: list[TilePicture] = Field(default_factory=list)
    explained_errors: list[ExplainedTile] = Field(default_factory=list)
    training: TrainingSummary | None = None
    subsets: dict[str, Evaluation] = Field(default_factory=dict)
    abstention: AbstentionSummary | None = None
    validation: ValidationSummary = Field(default_factory=ValidationSummary)
    applicability: ApplicabilitySummary | None = None
    cells: CellContent | None = None
    labels: LabelContent | None = None
    maps: dict[str, MapImage] = Field(default_factory=dict)
    imagery: dict[str, ImageryPicture] = Field(default_factory=dict)
    tile_maps: dict[str, MapImage] = Field(default_factory=dict)
    areas: dict[str, list[AreaRow]] = Field(default_factory=dict)
    unsure: dict[str, UnsureTiles] = Field(default_factory=dict)
    shares: dict[str, ShareComparison] = Field(default_factory=dict)
    error_maps: dict[str, ErrorMap] = Field(default_factory=dict)
    change: ChangeSummary = Field(default_factory=ChangeSummary)
    change_candidates: list[ChangeCandidate] = Field(default_factory=list)
    patch_candidates: list[PatchCandidate] = Field(default_factory=list)

    @model_validator(mode="after")
    def _chosen_is_known(self) -> Self:
        if self.training and self.training.chosen not in self.training.models:
            raise ValueError(
                f"The chosen model {self.training.chosen!r} is none of those compared: "
                f"{', '.join(self.training.models)}."
            )
        return self

    @property
    def cell_size_m(self) -> float | None:
        """Side of the cells that the map is of; None where it is of tiles."""
        own = self.cells or self.labels
        return own.size_m if own else None

    @property
    def is_smoothed(self) -> bool:
        """Whether a map shows some tiles or cells in the class of their neighbours."""
        return any(found.smoothed != 0 for found in self.unsure.values())

    @property
    def test(self) -> Evaluation | None:
        """The chosen model on the test split."""
        return self.training.models[self.training.chosen].test if self.training else None
