"""What the model of time and cost rests on: rates, prices, and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

# What the rates were measured in: `benchmarks/results/<RESULT>.json`, on AVX-512 VNNI and bf16.
RESULT = "2026-11-30-ea25eed"


def _given(default: float, unit: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Assumptions:
    """What the model rests on; `unit` and `source` of each are in its field's metadata.

    Raises
    ------
    ValueError
        If one is not greater than 0, or the efficiency exceeds 1.
    """

    catalog_rate: float = _given(
        3_107, "tiles/s a core", "measured, 2026-11-22, 100 scenes: 6,214 on 2 cores"
    )
    fine_rate: float = _given(
        157, "tiles/s a core", f"measured, {RESULT}, scenes with cells, 1 m, fp32: 314 on 2 cores"
    )
    fine_int8_rate: float = _given(
        270, "tiles/s a core", f"measured, {RESULT}, scenes with cells, 1 m, int8: 541 on 2 cores"
    )
    draft_int8_rate: float = _given(
        1_042,
        "tiles/s a core",
        f"measured, {RESULT}, scenes with cells and overviews, 2 m, int8: 2,083 on 2 cores",
    )
    read_rate: float = _given(
        676,
        "tiles/s a core",
        f"what is left of {RESULT}'s 541 at 1 m in int8 without its engine's 901, on 2 cores",
    )
    scoring_rate: float = _given(
        688, "tiles/s a core", f"measured, {RESULT}, cells: 67,392 in 49.0 s on 2 cores"
    )
    report_rate: float = _given(
        3_438,
        "tiles/s, driver alone",
        f"measured, {RESULT}, cells: 67,392 in 19.6 s; workers wait, and are paid",
    )
    efficiency: float = _given(
        0.7, "", "assumed: what workers keep of that speed beside others and on remote storage"
    )
    worker_cores: float = _given(4, "vCPU", "Standard_D4s_v5")
    run_tiles: float = _given(
        1_000_000, "tiles", "assumed: more are run piece by piece; 67,392 is the most that was run"
    )
    run_fixed_s: float = _given(
        300,
        "s a run",
        "assumed: Spark's start, export, training, calibration; of the sample's "
        "1,856 tiles the whole main job takes 110 s",
    )
    begin_s: float = _given(900, "s", "assumed: machines start and install, once")
    tile_bytes: float = _given(
        200_704, "bytes", "224 m at 1 m, four bands, uncompressed; 0.6 m: 557,000"
    )
    draft_share: float = _given(
        0.25, "of tile_bytes", "a draft of 2 m reads scenes' overviews; where they have none, 1"
    )
    kept_bytes: float = _given(
        12_000, "bytes a tile",
        "measured: features 7,168, cells 3,136, their statistics 490, and the tables",
    )  # fmt: skip
    tile_reads: float = _given(
        1, "requests a tile", "assumed: neighbours share a block, GDAL asks for headers too"
    )
    account_gbit_s: float = _given(
        50, "Gbit/s", "default of a storage account; 120 in the larger regions"
    )
    account_reads_s: float = _given(20_000, "requests/s", "default of a storage account")
    worker_price: float = _given(
        0.20, "$/h", "Standard_D4s_v5, Linux, East US, about 0.19, and its disk"
    )
    fixed_price: float = _given(0.26, "$/h", "driver of the same size, NAT gateway, two addresses")
    gpu_rate: float = _given(
        8_320, "tiles/s a card",
        "published, not measured here: timm's table of August 2024, tf_efficientnet_lite0 in half "
        "precision on an RTX 3090; an A100, and a draft, are taken for no slower",
    )  # fmt: skip
    gpu_cores: float = _given(24, "vCPU", "Standard_NC24ads_A100_v4, one A100")
    gpu_price: float = _given(
        3.67, "$/h", "Standard_NC24ads_A100_v4, East US, as published by Data Receipts, 2026-11-09"
    )
    read_price: float = _given(0.0044, "$ for 10,000", "hot, LRS, East US")
    storage_price: float = _given(0.018, "$ a GB and month", "hot, LRS, East US")

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) <= 0:
                raise ValueError(f"{each.name} must be greater than 0")
        if self.efficiency > 1:
            raise ValueError("efficiency is a share: 1 at most")
