"""Which cells are asked for: seeded, unlike each other, and no two that touch."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from aerial_kedro.labelling.clusters import cluster
from aerial_kedro.labelling.learning import learn
from aerial_kedro.labelling.selection import Places, find_doubtful, find_uncertain, spread
from aerial_kedro.labelling.suggestions import (
    UNLIKE_LABELLED,
    UNLIKE_OTHERS,
    SuggestRules,
    suggest,
)
from aerial_kedro.models.few_labels import LabelledCells

RULES = SuggestRules(cells=12, candidates=1000, share_doubtful=0.25, share_unlike=0.25)
NAMES = ["Forest", "Water", "Field"]
SPREAD = 0.05


def make_cells(seed: int, kinds: int = 3, count: int = 240, labelled: int = 0) -> pd.DataFrame:
    """Cells of kinds far apart, on a square of 40 by 40; the first of each kind are labelled."""
    draw = np.random.default_rng(seed)
    kind = np.arange(count) % kinds
    centres = 10 * np.eye(kinds, 6)
    features = centres[kind] + SPREAD * draw.standard_normal((count, 6))
    at = draw.choice(1600, count, replace=False)
    label = np.where(np.arange(count) < labelled * kinds, kind + 1, 0)
    return pd.DataFrame(
        {
            "cell_id": [f"t{n}#00" for n in range(count)],
            "image_id": [f"t{n:04d}" for n in range(count)],
            "year": 2018, "lon": -77.0, "lat": 36.0, "epsg": 26918,
            "column": at % 40, "row": at // 40,
            "block_id": [f"b{n // 10 % 4}" for n in range(count)],
            "label": label, "features": list(features), "kind": kind,
        }
    )  # fmt: skip


def touching(rows: pd.DataFrame) -> int:
    columns, lines = rows["column"].to_numpy(), rows["row"].to_numpy()
    near = (abs(columns[:, None] - columns) <= 1) & (abs(lines[:, None] - lines) <= 1)
    return int(np.triu(near, 1).sum())


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), kinds=st.integers(2, 6), labelled=st.integers(0, 4))
def test_chosen_cells_are_seeded_and_none_touches_another(
    seed: int, kinds: int, labelled: int
) -> None:
    cells = make_cells(seed, kinds, labelled=labelled)
    names = [f"class {number}" for number in range(kinds)]
    found = suggest(cells, RULES, names, seed)
    assert found.equals(suggest(cells.sample(frac=1, random_state=seed), RULES, names, seed))
    assert found["cell_id"].is_unique
    asked = cells.set_index("cell_id").loc[found["cell_id"]]
    new = asked[asked["label"] == 0]
    assert touching(pd.concat([new, cells[cells["label"] > 0]])) == touching(
        cells[cells["label"] > 0]
    )
    assert len(found) <= RULES.cells


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), kinds=st.integers(2, 6))
def test_the_first_cells_cover_every_kind_of_ground(seed: int, kinds: int) -> None:
    cells = make_cells(seed, kinds)
    first = suggest(cells, RULES, NAMES, seed).head(RULES.cells)
    assert set(cells.set_index("cell_id").loc[first["cell_id"], "kind"]) == set(range(kinds))
    assert set(first["why"]) == {UNLIKE_OTHERS}
    assert first["given"].isna().all()


def test_a_rare_kind_is_among_the_first() -> None:
    """One cell in a hundred: chance would miss it most of the time."""
    draw = np.random.default_rng(5)
    features = 0.1 * draw.standard_normal((1000, 4))
    features[:10] += 8
    places = Places(np.stack([np.zeros(1000), 3 * np.arange(1000), np.zeros(1000)], axis=1))
    chosen = spread(features, np.arange(1000), places, 20, 1)
    assert (chosen[:12] < 10).any()


def test_a_place_in_another_year_touches() -> None:
    places = Places(np.array([[17, 5, 5], [17, 5, 5], [18, 5, 5], [17, 7, 5]]))
    places.take(0)
    assert places.are_free(np.arange(4)).tolist() == [False, False, True, True]


def test_labels_that_other_blocks_speak_against_are_asked_again() -> None:
    cells = make_cells(2, labelled=8)
    wrong = cells.index[cells["label"] == 1][3]
    cells.loc[wrong, "label"] = 2
    found = suggest(cells, RULES, NAMES, 2).set_index("cell_id")
    asked = found.loc[cells["cell_id"][wrong]]
    assert asked["given"] == "Water"
    assert asked["why"].startswith("It is labelled Water; labels in other places suggest Forest (")
    assert found["given"].notna().sum() == 1
    assert found["why"].str.startswith("The labels so far leave open whether it is ").any()


def test_ground_that_no_label_knows_is_asked_for() -> None:
    cells = make_cells(3, kinds=4, labelled=5)
    new = cells["kind"] == 3
    cells.loc[new, "label"] = 0
    found = suggest(cells, RULES, NAMES, 3)
    unlike = found[found["why"] == UNLIKE_LABELLED]
    assert len(unlike) >= 3
    assert new[unlike["cell_id"].str.extract(r"(\d+)#")[0].astype(int)].all()


def test_one_class_of_labels_is_enough_to_ask_for_others() -> None:
    cells = make_cells(4, labelled=1)
    cells.loc[cells["label"] > 1, "label"] = 0
    assert set(suggest(cells, RULES, NAMES, 1)["why"]) == {UNLIKE_LABELLED}


def test_the_most_uncertain_come_first() -> None:
    chances = np.array([[0.9, 0.1, 0], [0.4, 0.35, 0.25], [0.5, 0.5, 0], [1, 0, 0]])
    assert find_uncertain(chances, 2).tolist() == [2, 1]
    labels, predicted = np.array([0, 1, 0]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    assert find_doubtful(labels, predicted).tolist() == [2, 1]


def test_labels_of_one_block_are_learned_but_not_doubted() -> None:
    cells = make_cells(1, labelled=3)
    known = cells[cells["label"] > 0]
    features = np.array(cells["features"].tolist())
    labels = np.array(NAMES, dtype=object)[known["label"] - 1]
    blocks = np.full(len(known), "b", dtype=object)
    places = known[["lon", "lat"]].assign(size_m=0.0).reset_index(drop=True)
    known_cells = LabelledCells(
        features[known.index], labels, blocks, np.arange(len(known)), places
    )
    found, left_out = learn(known_cells, features, NAMES, 1)
    assert left_out is None
    assert (found.argmax(axis=1) == cells["kind"]).all()


def test_a_class_of_one_block_alone_is_not_doubted() -> None:
    """Without that block the class is not known: nothing speaks against its labels."""
    cells = make_cells(2, labelled=8)
    known = cells["label"] > 0
    cells.loc[known & (cells["label"] == 3), "block_id"] = "pond"
    assert suggest(cells, RULES, NAMES, 2)["given"].isna().all()


def test_labels_that_no_other_block_can_evaluate_are_not_doubted() -> None:
    cells = make_cells(1, kinds=2, labelled=3)
    cells["block_id"] = np.where(cells["label"] == 1, "a", "b")
    assert suggest(cells, RULES, NAMES, 1)["given"].isna().all()


def test_clusters_of_equal_cells() -> None:
    of, distances = cluster(np.ones((5, 3)), 3, [], 1)
    assert len(of) == 5
    assert (distances == 0).all()


def test_no_kind_of_ground_is_asked_twice_before_each_was_once() -> None:
    cells = make_cells(6, kinds=20, count=400)
    draw = np.random.default_rng(6)
    features = 10 * draw.standard_normal((20, 30))[cells["kind"]]
    features += SPREAD * draw.standard_normal(features.shape)
    places = Places(cells[["epsg", "column", "row"]].to_numpy())
    chosen = spread(features, np.arange(400), places, 20, 6)
    assert cells["kind"][chosen].nunique() >= 19
