"""The short form of the benchmark: all engines agree in every cell, and the night keeps to ratios, never to a time.

The limits stand at about twice what was measured: 20,000 dossiers of twenty units are mostly fixed cost, so this finds
a night that does work twice, not one that is a tenth slower. What a large night costs: docs/large.md.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.declare.periods import all_periods
from pipeline.warehouse.record import sha256_of
from tests.benchmarks.country import FIRST_DAY, LAST_DAY, Country
from tests.benchmarks.night import START, Bench, Line, medians, plot, table
from tests.benchmarks.run import Cost
from tests.benchmarks.stages import STAGES
from tests.quick import thorough

ANSWERS = ("--help", "stats", "indicators", "explain --list")
# ratio → at most
LIMITS = {
    "work of the night ÷ same outputs": 25,
    "work with nothing new ÷ work of the night": 0.1,
    "work with 1 % new ÷ work of the night": 1.6,
    **{f"{name} ÷ night": 0.12 for name in ANSWERS},
}


def ratios(bench: Bench) -> dict[str, float]:
    """In CPU seconds."""
    work, whole = bench.work_of("night"), bench.cost("night").cpu
    return {
        "work of the night ÷ same outputs": work / bench.cost("same outputs, DuckDB").cpu,
        "work with nothing new ÷ work of the night": bench.work_of("night with nothing new") / work,
        "work with 1 % new ÷ work of the night": bench.work_of("night with 1 % new") / work,
        **{f"{name} ÷ night": bench.cost(name).cpu / whole for name in ANSWERS},
    }


def over(bench: Bench) -> list[str]:
    """The ratios beyond their limit."""
    found = ratios(bench)
    return [name for name, most in LIMITS.items() if found[name] > most]


@pytest.fixture(scope="module", params=["csv", pytest.param("parquet", marks=thorough)])
def short(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A whole run at a small size; the export belongs to the long one."""
    country = Country(20_000, request.param, units=20, districts=2)
    bench = Bench(tmp_path_factory.mktemp("short"), country, say=lambda _: None)
    bench.make()
    bench.baselines()
    bench.night()
    bench.recount()
    bench.answers()
    bench.news()
    return bench


@pytest.mark.slow
def test_the_night_keeps_to_its_ratios(short: Bench) -> None:
    assert over(short) == [], ratios(short)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "times", "found"),
    [
        ("figures", 20, ["work of the night ÷ same outputs"]),
        ("night with nothing new", 100, ["work with nothing new ÷ work of the night"]),
        ("night with 1 % new", 20, ["work with 1 % new ÷ work of the night"]),
        ("indicators", 20, ["indicators ÷ night"]),
    ],
)
def test_a_cost_that_is_too_high_is_found(short: Bench, name: str, times: int, found: list[str]) -> None:
    slow = copy.copy(short)
    slow.lines = [*short.lines]
    at = next(n for n, line in enumerate(slow.lines) if line.name == name)
    for n in range(at, at + (1 if name in ("figures", "indicators") else 1 + len(STAGES))):
        cost = slow.lines[n].cost
        slow.lines[n] = replace(slow.lines[n], cost=Cost(cost.wall, cost.cpu * times))
    assert over(slow) == found


@pytest.mark.slow
def test_every_engine_agrees_in_every_cell(short: Bench) -> None:
    """Also after the night with news, which change no quarter of theirs, nor any other period that had ended."""
    quarters, of_unit = 7 * 12 + 1, 20 * 7  # of the engines, and the one that is counted alone; units, counts
    ended = sum(one.end <= LAST_DAY for one in all_periods(FIRST_DAY, LAST_DAY))
    assert ended > 100
    assert short.compare() == (quarters + ended) * of_unit + 20_000 * (18 + 47)  # dossiers, columns


@pytest.mark.slow
def test_one_cell_that_differs_is_found(short: Bench) -> None:
    wrong = short.work / "counts_wrong.parquet"
    duckdb.sql(
        f"COPY (SELECT * REPLACE (online + (row_number() OVER () = 7)::INT AS online) FROM '{short.work}/counts_duckdb.parquet') "
        f"TO '{wrong}' (FORMAT parquet)"
    )
    try:
        with pytest.raises(SystemExit, match=r"counts_wrong: .* first difference"):
            short.compare()
    finally:
        wrong.unlink()


@pytest.mark.slow
def test_a_quarter_counted_alone_that_differs_is_found(short: Bench) -> None:
    path = short.work / "counts_recount2023-Q3.parquet"
    right = path.read_bytes()
    duckdb.sql(f"CREATE TABLE alone AS SELECT * REPLACE (open + 1 AS open) FROM '{path}'")
    duckdb.sql(f"COPY alone TO '{path}' (FORMAT parquet); DROP TABLE alone")
    try:
        with pytest.raises(SystemExit, match=r"counts_recount2023-Q3: .* first difference"):
            short.compare()
    finally:
        path.write_bytes(right)


@pytest.mark.slow
def test_one_period_that_differs_is_found(short: Bench) -> None:
    right = short.periods.read_bytes()
    one = "(period = '2023-9M' AND unit = (SELECT min(unit) FROM counts))::INT"
    duckdb.sql(
        f"COPY (WITH counts AS (FROM '{short.periods}') SELECT * REPLACE (open + {one} AS open) FROM counts) "
        f"TO '{short.periods}.part' (FORMAT parquet)"
    )
    Path(f"{short.periods}.part").replace(short.periods)
    try:
        with pytest.raises(SystemExit, match=r"all periods: .* first difference"):
            short.compare()
    finally:
        short.periods.write_bytes(right)


@pytest.mark.slow
def test_the_stages_are_told_apart_and_make_up_the_night(short: Bench) -> None:
    at = next(n for n, line in enumerate(short.lines) if line.name == "night")
    stages = short.lines[at + 1 : at + 2 + len(STAGES)]
    assert [line.name for line in stages] == [*STAGES, START]
    assert all(line.cost.cpu > 0 for line in stages), stages
    assert sum(line.cost.cpu for line in stages) == pytest.approx(short.cost("night").cpu)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_data_are_the_same_bytes_each_time(tmp_path: Path, form: str) -> None:
    country = Country(5_000, form, units=20, districts=2)
    made = []
    for name in ("first", "second"):
        country.write(tmp_path / name)
        country.write_news(tmp_path / name, date(2024, 12, 20))
        made.append({p.relative_to(tmp_path / name): sha256_of(p) for p in (tmp_path / name).rglob("*.*")})
    assert made[0] == made[1]
    assert len(made[0]) == 2 * 3


def test_a_run_is_told_as_a_table_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.benchmarks.night.pictures", lambda *_: {})  # a browser takes seconds
    bench = Bench(tmp_path, Country(1_000), say=lambda _: None)
    bench.lines = [
        Line("same outputs, DuckDB", Cost(1, 2, 100)),
        Line("night", Cost(3, 4, 200), "same outputs, DuckDB", 1.5),
        Line("figures", Cost(1, 1.5), stage=True),
    ]
    told = table(bench, 12_345)
    assert "12,345 cells compared, all equal" in told
    assert "| night | 3.00 | 4.00 | 200 | 2 × same outputs, DuckDB | at most 1.5: not met |" in told
    assert "| – figures | 1.00 | 1.50 |  |  |  |" in told
    plot(bench, tmp_path / "drawn.html")
    assert "<script src=" not in (tmp_path / "drawn.html").read_text(encoding="utf-8")


def test_of_several_rounds_the_median_is_told_and_the_spread(tmp_path: Path) -> None:
    rounds = []
    for base, night, figures in ((2, 4, 1), (4, 6, 3), (3, 9, 2)):
        rounds.append(bench := Bench(tmp_path, Country(1_000), say=lambda _: None))
        bench.lines = [
            Line("same outputs, DuckDB", Cost(1, base, 100)),
            Line("night", Cost(3, night, 200 + night), "same outputs, DuckDB", 1.5),
            Line("figures", Cost(1, figures), stage=True),
            Line("night with 1 % new", Cost(1, 1), "night", 0.1),
            Line("figures", Cost(1, 7 * figures), stage=True),
        ]
    rounds[0].lines.insert(1, Line("count, pandas", Cost(5, 5, 50)))  # of one round alone
    told = table(medians(rounds), 5)
    assert "| count, pandas | 5.00 | 5.00 | 50 |  |  |" in told
    assert "| night | 3.00 | 6.00 | 209 | 2 (1.5–3) × same outputs, DuckDB | at most 1.5: not met |" in told
    assert "| – figures | 1.00 | 2.00 |  |  |  |" in told
    assert "| – figures | 1.00 | 14.00 |  |  |  |" in told
    assert medians(rounds).cost("night") == Cost(3, 6, 209)


def test_news_name_no_unit_that_was_not_there(tmp_path: Path) -> None:
    """Whatever the number of dossiers: a unit that comes up in another district is a new one, in all quarters."""
    country = Country(1_003, "csv", units=20, districts=2)
    country.write(tmp_path)

    def units(skip: int) -> set[tuple[str, str]]:
        asked = f"SELECT DISTINCT parse_path(filename)[-2], \"Đơn vị tiếp nhận\" FROM read_csv('{tmp_path.as_posix()}/*/*.csv', skip = {skip}, filename = true, all_varchar = true)"
        return set(duckdb.sql(asked).fetchall())

    before = units(0)
    for path in tmp_path.glob("*/*.csv"):
        path.unlink()
    country.write_news(tmp_path, date(2024, 12, 20), share=10)
    assert units(3) and units(3) <= before
