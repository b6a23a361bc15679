from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from aerial_kedro.examples.county.canvas import Axis, Canvas, Picture, noise
from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.kinds import HEDGE, KINDS, ROAD, Kind, LandClass
from aerial_kedro.examples.county.layers import Coat
from aerial_kedro.examples.county.noise import Plane
from aerial_kedro.examples.county.parcels import CLASS_SHARES, TRANSITIONS, Plot, divide
from aerial_kedro.examples.county.plan import draw_plan
from aerial_kedro.examples.county.settings import CountySettings, Flight


def _canvas(pictures: list[Picture]) -> Canvas:
    v, u = np.mgrid[0:160, 0:160].astype(np.float32)
    edge = np.minimum(np.minimum(u, 159 - u), np.minimum(v, 159 - v))
    axes: dict[Axis, Plane] = {"u": u, "v": v, "edge": edge, "road": edge}
    return Canvas(axes, (160, 160), np.random.default_rng(1), pictures)


def _painted(kind: Kind, *pictures: Picture) -> Canvas:
    """Paint a kind's layers on a ground that is the same for all kinds."""
    canvas = _canvas(list(pictures))
    for picture in pictures:
        picture.colour += 100
    for layer in (*kind.layers, HEDGE, *ROAD):
        layer(canvas)
    return canvas


def _of_year(year: int) -> Picture:
    return Picture(np.random.default_rng(year), 0.1 * (year % 10))


def test_every_kind_has_layers_of_its_own_and_every_class_has_kinds() -> None:
    assert all(kind.layers for kind in KINDS.values())
    looks = {_painted(kind, _of_year(2)).pictures[0].colour.tobytes() for kind in KINDS.values()}
    assert len(looks) == len(KINDS)
    assert {kind.land_class for kind in KINDS.values()} == set(CLASS_SHARES)
    assert sum(CLASS_SHARES.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", KINDS)
def test_years_painted_together_look_like_each_painted_alone(name: str) -> None:
    kind = KINDS[name]
    years = [_of_year(2012), _of_year(2018)]
    both = _painted(kind, *years)
    assert (years[0].colour != years[1].colour).any()
    for year, together in zip((2012, 2018), years, strict=True):
        alone = _of_year(year)
        canvas = _painted(kind, alone)
        np.testing.assert_array_equal(together.colour, alone.colour)
        np.testing.assert_array_equal(both.height, canvas.height)
        np.testing.assert_array_equal(both.free, canvas.free)


@pytest.mark.parametrize("lasting", [{"height_m": 2.0}, {"clears": True}])
def test_what_lies_otherwise_every_year_leaves_nothing_that_lasts(lasting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="otherwise every year"):
        Coat(noise((5, 0.1)), yearly=True, **lasting)


def test_division_tiles_the_plot_with_pieces_below_the_longest_side() -> None:
    plot = Plot(-500, -300, 900, 800)
    pieces = divide(np.random.default_rng(5), plot, (60.0, 240.0))
    assert sum(np.prod(piece.size) for piece in pieces) == pytest.approx(np.prod(plot.size))
    assert max(max(piece.size) for piece in pieces) <= 240


def test_the_classes_get_their_shares_of_a_large_county() -> None:
    plan = draw_plan(CountySettings(), 3)
    for land_class, wanted in CLASS_SHARES.items():
        share = sum(
            parcel.area_share
            for parcel in plan.parcels
            if KINDS[parcel.kind].land_class is land_class
        )
        assert share == pytest.approx(wanted, abs=0.04)


def test_the_wanted_share_of_the_county_changes_into_another_class() -> None:
    settings = CountySettings(change_share=0.1)
    changed = [parcel for parcel in draw_plan(settings, 3).parcels if parcel.change]
    assert sum(parcel.area_share for parcel in changed) == pytest.approx(0.1, abs=0.01)
    for parcel in changed:
        _, later_kind = parcel.change or (0, "")
        assert parcel.kind_in(2012) == parcel.kind
        assert parcel.kind_in(2018) == later_kind
        before, after = KINDS[parcel.kind], KINDS[later_kind]
        assert before.land_class is not after.land_class


def test_transitions_lead_out_of_the_class_with_chances_that_sum_to_one() -> None:
    assert set(TRANSITIONS) == set(CLASS_SHARES)
    for land_class, outcomes in TRANSITIONS.items():
        assert all(KINDS[kind].land_class is not land_class for kind in outcomes)
        if outcomes:
            assert sum(outcomes.values()) == pytest.approx(1)


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        CountySettings(size=3)  # type: ignore[call-arg]


def test_sides_that_cannot_be_divided_are_refused() -> None:
    with pytest.raises(ValidationError, match="at least twice"):
        CountySettings(parcel_size_m=(200.0, 300.0))


def test_two_flights_in_a_year_are_refused() -> None:
    flight = Flight(date=dt.date(2015, 5, 1), sun_azimuth_deg=100, sun_elevation_deg=50)
    with pytest.raises(ValidationError, match="one for each year"):
        CountySettings(flights=(flight, flight))


def test_water_is_no_parcel() -> None:
    assert LandClass.WATER not in {kind.land_class for kind in KINDS.values()}


def test_lakes_reach_as_far_as_their_shores_do() -> None:
    plan = draw_plan(CountySettings(), 3)
    west, _, _, north = plan.county.bounds
    frame = Frame(west, north, 8.0, plan.county.rows // 8, plan.county.columns // 8)
    xs, ys = frame.centres
    ragged = plan.waters.ragged.at(xs, ys)
    river = replace(plan.waters, lakes=np.empty((0, 3))).inside(frame)
    expected = river.copy()
    for easting, northing, radius in plan.waters.lakes:
        away = np.hypot(xs[None] - easting, ys[:, None] - northing)
        np.maximum(expected, radius * (1 + 0.16 * ragged) - away, out=expected)
    near = expected > -30
    assert (near & (river < -30)).mean() > 0.02
    inside = plan.waters.inside(frame)
    np.testing.assert_allclose(inside[near], expected[near], rtol=1e-6, atol=1e-4)
    assert (inside[~near] <= -30).all()
