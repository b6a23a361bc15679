from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError

from aerial_kedro.examples.county.canvas import Axis, Canvas
from aerial_kedro.examples.county.kinds import KINDS, Kind, LandClass
from aerial_kedro.examples.county.noise import Plane
from aerial_kedro.examples.county.parcels import CLASS_SHARES, TRANSITIONS, Plot, divide
from aerial_kedro.examples.county.plan import draw_plan
from aerial_kedro.examples.county.settings import CountySettings, Flight


def painted(kind: Kind) -> bytes:
    """Paint a kind's layers on a ground that is the same for all kinds."""
    v, u = np.mgrid[0:160, 0:160].astype(np.float32)
    edge = np.minimum(np.minimum(u, 159 - u), np.minimum(v, 159 - v))
    axes: dict[Axis, Plane] = {"u": u, "v": v, "edge": edge, "road": edge}
    canvas = Canvas(axes, (160, 160), np.random.default_rng(1), np.random.default_rng(2), 0.5)
    canvas.colour += 100
    for layer in kind.layers:
        layer(canvas)
    return canvas.colour.tobytes()


def test_every_kind_has_layers_of_its_own_and_every_class_has_kinds() -> None:
    assert all(kind.layers for kind in KINDS.values())
    assert len({painted(kind) for kind in KINDS.values()}) == len(KINDS)
    assert {kind.land_class for kind in KINDS.values()} == set(CLASS_SHARES)
    assert sum(CLASS_SHARES.values()) == pytest.approx(1)


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
