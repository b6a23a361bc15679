"""What a run asks of storage, and how it grows with its tiles."""

import pytest

from benchmarks.counts import count_files, count_requests, extrapolate, growth_table

PLACE = "/devstoreaccount1/rehearsal"
LOG = "".join(
    f'127.0.0.1 - - [29/Nov/2026:23:21:40 +0000] "{request} HTTP/1.1" 200 -\n'
    for request in (
        f"GET {PLACE}/5-county/04_feature/part-0.parquet",
        f"HEAD {PLACE}/5-county/04_feature/part-0.parquet",
        f"PUT {PLACE}/5-county/04_feature/part-1.parquet?comp=block&blockid=A",
        f"PUT {PLACE}/5-county/04_feature/part-1.parquet?comp=blocklist",
        f"GET {PLACE}?restype=container&comp=list&prefix=5-county%2F04_feature",
        f"GET {PLACE}/5-catalog/03_primary/part-0.parquet",
        f"GET {PLACE}?restype=container&comp=list&prefix=5-catalog",
    )
)


def test_requests_are_counted_by_kind_below_one_key() -> None:
    assert count_requests(LOG, "5-county") == {
        "requests": 5, "listings": 1, "reads": 2, "writes": 2,
    }  # fmt: skip


def test_files_of_features_are_told_apart_with_their_size() -> None:
    features = "data/04_feature/tile_features/feature_key=a/part-"
    sizes = {f"{features}0.parquet": 2**20, f"{features}1.parquet": 2**21, "data/map.tif": 7}
    assert count_files(sizes) == {"files": 3, "feature_files": 2, "feature_file_mib": 1.5}
    assert count_files({"data/map.tif": 7})["feature_file_mib"] == 0


class TestGrowth:
    SIZES = (10, 30, 90)

    @pytest.mark.parametrize(
        ("values", "is_faster"),
        [
            ((7, 7, 7), False),  # no more with more tiles
            ((11, 31, 91), False),  # a line
            ((11, 40, 100), False),  # slower than a line
            ((1, 9, 81), True),  # a square
            ((10, 30, 96), False),  # a tenth steeper
            ((100, 101, 104.5), False),  # steeper, but next to nothing
        ],
    )
    def test_a_line_is_told_from_what_bends_upwards(
        self, values: tuple[float, ...], is_faster: bool
    ) -> None:
        assert extrapolate(self.SIZES, values, 900)["faster"] is is_faster

    @pytest.mark.parametrize(
        ("values", "fixed", "a_thousand", "residual", "expected"),
        [
            ((7, 7, 7), 7, 0, 0, 7),
            ((11, 31, 91), 1, 1000, 0, 901),
            # By hand: means 130/3 and 131/3, sums of products 3,433.3 over 3,466.7.
            ((11, 30, 90), 0.75, 990.385, 0.5, 892.1),
        ],
    )
    def test_the_line_is_that_of_least_squares(
        self, values: tuple[float, ...], fixed: float, a_thousand: float, residual: float,
        expected: float,
    ) -> None:  # fmt: skip
        found = extrapolate(self.SIZES, values, 900)
        assert found["fixed"] == pytest.approx(fixed, abs=0.06)
        assert found["a_thousand"] == pytest.approx(a_thousand, abs=0.01)
        assert found["residual"] == pytest.approx(residual, abs=0.06)
        assert found["expected"] == pytest.approx(expected, abs=0.1)

    def test_the_table_names_what_grows_faster(self) -> None:
        found = {
            "scoring": {
                size: {"tiles": size, "files": files, "jobs": 84}
                for size, files in zip(self.SIZES, (1, 9, 81), strict=True)
            }
        }
        lines, grown = growth_table(self.SIZES, found, 900)
        assert lines[2].startswith(
            "| scoring: files, **faster than tiles** | 1 | 9 | 81 | -15 | 1,046.154 |"
        )
        assert lines[3] == "| scoring: jobs | 84 | 84 | 84 | 84 | 0 | 0 | 84 |"
        assert grown["scoring"]["files"]["faster"]

    def test_what_follows_files_is_a_line_of_files(self) -> None:
        by_size = {
            size: {"feature_files": files, "requests": 5 + 40 * files}
            for size, files in zip(self.SIZES, (24, 30, 88), strict=True)
        }
        lines, grown = growth_table(self.SIZES, {"scoring": by_size}, 512, of="feature_files")
        assert lines[0].endswith("| the line at 512 feature files |")
        assert len(lines) == 3
        assert grown["scoring"]["requests"]["expected"] == 5 + 40 * 512
