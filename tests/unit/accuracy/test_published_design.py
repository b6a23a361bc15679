"""The worked example of Olofsson et al. (2014), from a design file and a file of answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.accuracy.answers import AnswerFile, check_answers
from aerial_kedro.accuracy.assessment import Interpreted, assess_map
from aerial_kedro.accuracy.sampling import SampledCell, SampleDesign, Stratum
from aerial_kedro.accuracy.stratified import StratifiedSample

# Table 8: rows are strata, which are map classes, columns what was seen. Pixels of 30 m.
STRATA = {
    "deforestation": (200_000, [66, 0, 5, 4]),
    "forest gain": (150_000, [0, 55, 8, 12]),
    "stable forest": (3_200_000, [1, 0, 153, 11]),
    "stable non-forest": (6_450_000, [2, 1, 9, 313]),
}
NAMES = list(STRATA)
HECTARES_PER_KM2 = 100


def write_files(folder: Path) -> tuple[Path, Path]:
    """Write the design and the answers, in an order of chance."""
    rows = [
        (stratum, seen)
        for stratum, (_, counts) in STRATA.items()
        for seen, count in zip(NAMES, counts, strict=True)
        for _ in range(count)
    ]
    order = np.random.default_rng(1).permutation(len(rows))
    cells = [
        SampledCell(sample_id=f"o-{at:03d}", cell_id=f"t{at}#00", stratum=rows[at][0], years=[2010])
        for at in order
    ]
    strata = [
        Stratum(name=name, cells=pixels, drawn=sum(counts), cells_by_year={"2010": pixels})
        for name, (pixels, counts) in STRATA.items()
    ]
    design = SampleDesign(
        model="m", map_key="k", years=[2010], classes=NAMES, cell_area_m2=900.0, seed=1,
        strata=strata, cells=cells,
    ).signed()  # fmt: skip
    (folder / "design.json").write_text(design.model_dump_json(indent=2))
    answers = pd.DataFrame(
        {
            "sample_id": [f"o-{at:03d}" for at in range(len(rows))],
            "cell_id": [f"t{at}#00" for at in range(len(rows))],
            "year": "2010",
            "class": [seen for _, seen in rows],
        }
    )
    answers.to_csv(folder / "answers.csv", index=False)
    return folder / "design.json", folder / "answers.csv"


def test_areas_and_accuracies_are_the_published_ones(tmp_path: Path) -> None:
    design_file, answer_file = write_files(tmp_path)
    design = SampleDesign.model_validate_json(design_file.read_text())
    table = pd.read_csv(answer_file, dtype=str, keep_default_na=False)
    file = AnswerFile(name=str(answer_file), rows=table.to_dict("records"))
    rows = check_answers(file, design, "Unsure")
    strata = np.array([NAMES.index(each) for each in rows["stratum"]])
    nothing = np.full(len(rows), "", dtype=object)
    seen = Interpreted(
        sample=StratifiedSample(NAMES, np.array([each.cells for each in design.strata]), strata),
        cell_area_km2=design.cell_area_m2 / 1e6,
        mapped=rows["stratum"].to_numpy(dtype=object),
        reference=rows["class"].to_numpy(dtype=object),
        open_class="Unsure",
        alternate=nothing, second=nothing, land_cover=nothing,
        unsure=rows["unsure"].to_numpy(bool),
    )  # fmt: skip
    mapped = {each.name: each.cells * design.cell_area_m2 / 1e6 for each in design.strata}
    found = assess_map(seen, mapped)
    area = found.classes["deforestation"].area_km2
    assert HECTARES_PER_KM2 * (area.estimate or 0) == pytest.approx(21_158, abs=1)
    assert HECTARES_PER_KM2 * 1.96 * (area.standard_error or 0) == pytest.approx(6_158, abs=1)
    assert found.overall.estimate == pytest.approx(0.95, abs=0.005)
    of_class = found.classes["deforestation"]
    assert of_class.users_accuracy.estimate == pytest.approx(0.88)
    assert of_class.producers_accuracy.estimate == pytest.approx(0.75, abs=0.005)
