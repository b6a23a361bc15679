"""Everything that the report's page shows, as plain data."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from aerial_kedro.accuracy.abstention import AbstentionSummary
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.accuracy.shares import ShareComparison
from aerial_kedro.accuracy.validation import ValidationSummary
from aerial_kedro.change.assessment import ChangeAssessment, Expectation
from aerial_kedro.report.certainty import UnsureTiles
from aerial_kedro.report.error_maps import ErrorMap
from aerial_kedro.report.explained import ExplainedTile
from aerial_kedro.report.pictures import NO_DATA, MapImage, Picture, Record, TilePicture

Period = int | str
"""A map's period: its year, or a text where one year has several maps ("2016, zone 15")."""


class Fact(Record):
    """One row of "what ran, and on what"."""

    name: str
    value: str


class Count(Record):
    """How many images, and how many places where places are known, share a property."""

    name: str
    images: int
    places: int | None = None


class QuarantinedTile(Record):
    """A tile that could not be read or decoded, and why."""

    image_id: str
    href: str
    reason: str


class SplitSummary(Record):
    """How the tiles were divided into training, validation and test.

    Parameters
    ----------
    description
        In words: "spatial blocks of 2,000 m with a buffer of 448 m".
    is_spatial
        Whether test tiles were kept away from training tiles on the ground.
    smallest_distance_m
        Least distance between a training and a test tile, metres; None where coordinates are
        not known.
    required_distance_m
        The buffer that the run demanded, metres; None where it demanded none.
    """

    description: str
    is_spatial: bool
    smallest_distance_m: float | None = None
    required_distance_m: float | None = None


class CatalogSummary(Record):
    """What the tile catalogue held.

    Parameters
    ----------
    images, places
        Number of images, and of places on the ground (None where places are not known).
    by_year, by_split, by_label
        Counts by year; by split; and by what became of the label (pure, mixed, outside the land
        cover, no data).
    class_by_split
        ``{class: {split: images}}``.
    split
        How the tiles were divided.
    quarantined, quarantine_examples
        Number of tiles that could not be read, and some of them.
    """

    images: int
    places: int | None = None
    by_year: list[Count] = Field(default_factory=list)
    by_split: list[Count] = Field(default_factory=list)
    by_label: list[Count] = Field(default_factory=list)
    class_by_split: dict[str, dict[str, int]] = Field(default_factory=dict)
    split: SplitSummary | None = None
    quarantined: int = 0
    quarantine_examples: list[QuarantinedTile] = Field(default_factory=list)


class ModelResult(Record):
    """One classifier's agreement with the reference, on both held-out splits."""

    test: Evaluation
    validation: Evaluation | None = None


class AreaRow(Record):
    """Area of one class on one map.

    Parameters
    ----------
    class_name, tiles, area_km2, share
        What the map shows; ``share`` is of the mapped area, 0–1.
    adjusted_km2, adjusted_interval
        Area corrected by the confusion matrix (Olofsson et al. 2014), and its 95 % interval;
        None where it could not be estimated.
    """

    class_name: str
    tiles: int
    area_km2: float
    share: float = Field(ge=0, le=1)
    adjusted_km2: float | None = None
    adjusted_interval: Interval | None = None


class ChangeCandidate(Record):
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


class ChangeSummary(Record):
    """What changed between two years.

    Parameters
    ----------
    before, after
        The two periods.
    classes
        Class names; the order of the rows and columns of ``counts``.
    counts
        Tiles by class before (rows) and after (columns).
    candidates
        Likeliest changes, first the likeliest.
    places, expected_changes, first
        Places compared, how many of them changed by their probabilities, and how many of the
        likeliest.
    assessment
        The estimate against places of known truth.
    """

    before: Period
    after: Period
    classes: list[str]
    counts: list[list[int]]
    candidates: list[ChangeCandidate] = Field(default_factory=list)
    places: int = 0
    expected_changes: float = 0.0
    first: list[Expectation] = Field(default_factory=list)
    assessment: ChangeAssessment | None = None

    @model_validator(mode="after")
    def _square(self) -> Self:
        size = len(self.classes)
        if len(self.counts) != size or any(len(row) != size for row in self.counts):
            raise ValueError(f"The change counts are not a table of {size} by {size} classes.")
        return self


class ReportContent(Record):
    """Everything on the page; a section whose data is absent is left out of it.

    Parameters
    ----------
    title, created
        Heading, and when the page was made, in words.
    made_up_seed
        Seed of the drawn county where the data is the embedded sample; None for real imagery.
    facts
        What ran and on what data: roots, years, tile size, backbone, versions.
    catalog
        The tile catalogue in numbers.
    gallery
        ``{class: [tiles]}``, from the test split.
    models
        ``{classifier: results}``.
    chosen, chosen_reason
        The classifier that made the map, and why.
    baselines
        ``{name: evaluation on the test split}``; "majority" and "image_statistics" get a
        plain description.
    subsets
        The chosen model on other sets of tiles, to be read apart: ``{"mixed tiles": evaluation}``.
    abstention
        What leaving unsure tiles open is worth, on the test split.
    validation
        The chosen model on other divisions of the tiles.
    maps, areas, unsure
        By year.
    shares
        By year: the map's shares of the land beside the land cover's.
    error_maps
        By year: where the map agrees with the labels.
    change
        Change between two years.
    worst_errors
        Test tiles that were most confidently wrong.
    explained_errors
        Some of them, with what led to them.
    notes
        Caveats, one a text.
    """

    title: str
    created: str
    made_up_seed: int | None = None
    facts: list[Fact] = Field(default_factory=list)
    catalog: CatalogSummary | None = None
    gallery: dict[str, list[TilePicture]] = Field(default_factory=dict)
    models: dict[str, ModelResult] = Field(default_factory=dict)
    chosen: str | None = None
    chosen_reason: str = ""
    baselines: dict[str, Evaluation] = Field(default_factory=dict)
    subsets: dict[str, Evaluation] = Field(default_factory=dict)
    abstention: AbstentionSummary | None = None
    validation: ValidationSummary = Field(default_factory=ValidationSummary)
    maps: dict[Period, MapImage] = Field(default_factory=dict)
    areas: dict[Period, list[AreaRow]] = Field(default_factory=dict)
    unsure: dict[Period, UnsureTiles] = Field(default_factory=dict)
    shares: dict[Period, ShareComparison] = Field(default_factory=dict)
    error_maps: dict[Period, ErrorMap] = Field(default_factory=dict)
    change: ChangeSummary | None = None
    worst_errors: list[TilePicture] = Field(default_factory=list)
    explained_errors: list[ExplainedTile] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _chosen_is_known(self) -> Self:
        if self.models and self.chosen not in self.models:
            raise ValueError(
                f"The chosen model {self.chosen!r} is none of those compared: "
                f"{', '.join(self.models)}."
            )
        return self

    @property
    def is_made_up(self) -> bool:
        """Whether the imagery was drawn by this project."""
        return self.made_up_seed is not None

    @property
    def chosen_test(self) -> Evaluation | None:
        """The chosen model on the test split."""
        return self.models[self.chosen].test if self.chosen in self.models else None


__all__ = [
    "NO_DATA",
    "AreaRow",
    "CatalogSummary",
    "ChangeCandidate",
    "ChangeSummary",
    "Count",
    "Fact",
    "MapImage",
    "ModelResult",
    "Period",
    "Picture",
    "QuarantinedTile",
    "ReportContent",
    "SplitSummary",
    "TilePicture",
]
