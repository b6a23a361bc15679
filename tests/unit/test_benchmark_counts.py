"""What a run asks of storage, and how it grows with its tiles."""

import pytest

from benchmarks.counts import count_requests, extrapolate, growth_table

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


class TestGrowth:
    SIZES = (10, 30, 90)

    @pytest.mark.parametrize(
        ("values", "expected", "is_faster"),
        [
            ((7, 7, 7), 7, False),  # no more with more tiles
            ((11, 31, 91), 901, False),  # a line
            ((11, 40, 100), 910, False),  # slower than a line
            ((1, 9, 81), 1053, True),  # a square
            ((10, 30, 96), 987, False),  # a tenth steeper
            ((100, 101, 104.5), 151.8, False),  # steeper, but next to nothing
        ],
    )
    def test_a_line_is_told_from_what_bends_upwards(
        self, values: tuple[float, ...], expected: float, is_faster: bool
    ) -> None:
        found = extrapolate(self.SIZES, values, 900)
        assert found["expected"] == pytest.approx(expected, abs=0.1)
        assert found["faster_than_tiles"] is is_faster

    def test_the_table_names_what_grows_faster(self) -> None:
        found = {
            "scoring": {
                size: {"tiles": size, "files": files, "jobs": 84}
                for size, files in zip(self.SIZES, (1, 9, 81), strict=True)
            }
        }
        lines, grown = growth_table(self.SIZES, found, 900)
        assert lines[2].startswith("| scoring: files, **faster than tiles** | 1 | 9 | 81 | 1,200 |")
        assert lines[3] == "| scoring: jobs | 84 | 84 | 84 | 0 | 84 |"
        assert grown["scoring"]["files"]["faster_than_tiles"]
