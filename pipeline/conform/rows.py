"""Text cells → typed dossier rows, in SQL over batches; what cannot be parsed gets a reason.

Default-deny: only the declared columns leave this module. The dossier code leaves it as a keyed hash, with the
code itself in a separate frame for the restricted store. Free text never leaves it. DESIGN §4.15.
Not here: plausibility of values (validate/), duplicates (warehouse/), units (warehouse/).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from threading import Lock

import duckdb
import polars as pl

from pipeline.conform.cells import case, clean_cells, filled, literal, own_code, own_name, without_unfit
from pipeline.conform.headers import Header
from pipeline.conform.keyed_hash import hashes_of
from pipeline.conform.moments import moment_sql, time_sql
from pipeline.conform.shapes import NUMBERING, SECTION_UNIT, TOTAL, folded_sql, told_count, with_section_units
from pipeline.conform.unit_names import UnitNames
from pipeline.declare.columns import CODED, Column, columns
from pipeline.declare.procedures import known_fields, known_names, national_code, procedures
from pipeline.declare.sources import Source
from pipeline.declare.text import Text, fold, shape
from pipeline.read.grids import Grid
from pipeline.read.values import plain_times

# Codes in the national pattern are unique in the country; others only within their source (DESIGN §4.12).
NATIONAL_CODE = columns()["dossier_code"].harmless
A_CODE = r"[A-Za-zĐđ0-9./_-]*[0-9][A-Za-zĐđ0-9./_-]*"

# Stored type per kind. Times are local and zone-less: the wall clock of the source's own zone (DESIGN §4.5).
DTYPES: dict[str, pl.DataType] = {
    "unit": pl.String(),
    "timestamp": pl.Datetime("us"),
    "status": pl.String(),
    "channel": pl.String(),
    "level": pl.String(),
    "rating": pl.String(),
    "flag": pl.Boolean(),
    "count": pl.Int32(),
    "procedure_code": pl.String(),
    "procedure": pl.String(),
    "field": pl.String(),
}
SET_ASIDE_SCHEMA = {
    "sheet": pl.String,
    "row": pl.Int64,
    "verdict": pl.String,
    "reason": pl.String,
    "column": pl.String,
    "expected": pl.String,
    "found": pl.String,
}


@dataclass
class Batch:
    """One batch of a grid, every row of it in exactly one of `rows` and `aside` (notices are in both).

    rows: `row`, `dossier_id`, the canonical columns but the code. codes: dossier_id, dossier_code (restricted).
    refused: dossier_id of rows that are rejected, as far as their code is read. aside: SET_ASIDE_SCHEMA.
    rows_in: rows with some cell filled; the others are no rows.
    """

    rows: pl.DataFrame
    codes: pl.DataFrame
    refused: pl.DataFrame
    aside: pl.DataFrame
    rows_in: int


@dataclass
class Conformer:
    """Conforms the grids of one source with one key, both those of `names`, which keeps the units' names it meets."""

    names: UnitNames
    sections: bool = False  # whether section rows named units
    few: dict[str, list[str]] = field(default_factory=dict)  # of the batch at hand: columns of few texts, and these
    con: duckdb.DuckDBPyConnection = field(default_factory=lambda: _connection())

    @property
    def source(self) -> Source:
        return self.names.source

    @property
    def key(self) -> bytes:
        return self.names.key

    def batches(self, grid: Grid, header: Header, unit: str | None = None) -> Iterator[Batch]:
        """All rows below the header, in batches. unit: whose they are, where neither a column nor a section row above
        them says it."""
        has_units = "unit" in header.places  # else section rows among them may name units, by their text
        for frame in ((has_units and grid.typed) or grid.batches)(header.row + 1):
            if not has_units:
                frame, unit, named = with_section_units(frame, unit)
                self.sections = self.sections or named
            yield self._batch(frame, header, grid.sheet)

    # ---- one batch

    def _batch(self, frame: pl.DataFrame, header: Header, sheet: str | None) -> Batch:
        cells = [c for c in frame.columns if c not in ("row", "surplus", SECTION_UNIT)]
        surplus = "surplus" in frame.columns and bool(frame["surplus"].any())
        texts = {c: f"c{i}" for c, i in header.places.items() if f"c{i}" in cells}
        if SECTION_UNIT in frame.columns:
            texts["unit"] = SECTION_UNIT
        times = _times(frame, texts)
        others = [c for c, dtype in frame.schema.items() if dtype == pl.Datetime and c not in times.values()]
        frame = frame.with_columns(plain_times(frame[c]) for c in others)
        as_is = pl.CompatLevel.newest()  # texts are handed over without a copy
        self.con.register("raw_cells", frame.to_arrow(compat_level=as_is))
        clean, self.few = clean_cells(frame, {column: cell for column, cell in texts.items() if column not in times})
        clean |= times
        kept = ", ".join(["row", *(f"{text} AS {column}" for column, text in clean.items()), *(["surplus"] * surplus)])
        if clean == texts and any(not frame[c].null_count() for c in texts.values() if c in cells):
            source = "raw_cells"  # no cell has to be mended, and no row is empty
        else:
            some = "TRUE" if times else filled(cells) + " OR surplus" * surplus
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE mended AS SELECT {kept} FROM raw_cells WHERE {some}")
            source, kept = "mended", "*"
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW cells AS SELECT {kept} FROM {source}")
        typed = self._type(header, texts, surplus, times)
        rejected, others = self._rejected(texts, surplus, typed), self._others(texts, header, cells, typed)
        rejected = rejected.join(others, on="row", how="anti")
        aside = self._explain(rejected, others, sheet)
        self.con.unregister("raw_cells")
        gone = pl.col("row").is_in(aside.filter(pl.col("verdict") != "notice")["row"].implode())
        told = pl.col("row").is_in(rejected["row"].implode()) & pl.col("dossier_code").is_not_null()
        kept_rows = typed.filter(~gone) if aside.height else typed
        refused = typed.filter(gone & told) if aside.height else typed.clear()
        rows = kept_rows.select(list(row_schema())).cast(row_schema())  # ty: ignore[invalid-argument-type]
        return Batch(
            rows, kept_rows.select("dossier_id", "dossier_code"), refused.select("dossier_id"), aside, typed.height
        )

    def _type(self, header: Header, texts: dict[str, str], surplus: bool, times: Collection[str]) -> pl.DataFrame:
        """`cells` typed (times: columns that are times already), by row: `row`, `filled` (how many mapped cells are),
        `faulty` (whether some fault is in it), the canonical columns, `dossier_id`."""
        told = {
            name: sql
            for name, column in columns().items()
            if (sql := time_sql(name, self.source, name) if name in times else self._typed(column, header, texts))
        }
        typed = ",\n  ".join(f"{sql} AS t_{name}" for name, sql in told.items())
        source = "cells"
        if "procedure_code" in texts:
            self.con.register("known_code", self._known_codes())
            source = "cells LEFT JOIN known_code ON known_code.code = cells.procedure_code"
        if "unit" in texts and self.source.units == "declared":
            self.con.register("unit_text", self._unit_texts())
            source += " LEFT JOIN unit_text ON unit_text.written = cells.unit"
        mapped = " + ".join(f"({c} IS NOT NULL)::INT" for c in texts if c in header.places)
        faulty = " OR ".join(lost for _, _, lost in self._faults(texts, surplus, "", "t_"))
        identity = f"{self._system_sql()} || chr(31) || upper(dossier_code)"
        kept = ", ".join(f"t_{name} AS {name}" for name in told)
        found = self.con.sql(
            f"SELECT row, {mapped} AS filled, coalesce({faulty}, FALSE) AS faulty, {kept}, {identity} AS dossier_id "
            f"FROM (SELECT cells.*,\n  {typed}\nFROM {source})"
        ).pl()
        nothing = (pl.lit(None, dtype).alias(name) for name, dtype in row_schema().items() if name not in found.columns)
        found = found.with_columns(hashes_of(found["dossier_id"], self.key), *nothing)
        return found if found["row"].is_sorted() else found.sort("row")

    def _others(self, texts: dict[str, str], header: Header, cells: list[str], typed: pl.DataFrame) -> pl.DataFrame:
        """Rows that are no dossiers: `row`, `reason`, `told` (of a total row the one count in it, as text)."""
        schema = {"row": pl.Int64, "reason": pl.String, "told": pl.String}
        if not typed["received_at"].null_count():
            return pl.DataFrame(schema=schema)
        self.con.register("typed", typed.filter(pl.col("received_at").is_null()))
        # a code is one word with a number in it; other text in its column is a signature's or a note's
        coded = f"coalesce(regexp_full_match(c.dossier_code, '{A_CODE}'), FALSE)"
        known = [n for n in texts if columns()[n].kind in ("timestamp", "count", "flag", *CODED) and n != "received_at"]
        facts = " OR ".join(f"t.{n} IS NOT NULL" + " AND t.status <> 'unknown'" * (n == "status") for n in known)
        both = ("dossier_code", "received_at")
        numbered = " AND ".join(f"regexp_full_match(c.{n}, '{NUMBERING}')" for n in both)
        again = " AND ".join(f"{folded_sql(f'c.{n}')} = {folded_sql(literal(header.written[n]))}" for n in both)
        filled = " + ".join(f"(nullif(trim(r.{c}), '') IS NOT NULL)::INT" for c in cells)
        text = "concat_ws(' ', " + ", ".join(f"r.{c}" for c in cells) + ")"
        found = self.con.execute(
            f"""
            SELECT row, CASE
                WHEN {numbered} THEN 'numbering_row'
                WHEN {again} THEN 'header_row'
                WHEN NOT coded AND regexp_full_match({folded_sql(text)}, '{TOTAL}') THEN 'total_row'
                WHEN NOT coded AND (t.filled <= 1 OR NOT facts
                     AND coalesce(NOT regexp_matches(c.received_at, '\\d'), TRUE))
                THEN CASE WHEN {filled} <= 1 THEN 'section_row' ELSE 'note_row' END
            END AS reason, CASE WHEN reason = 'total_row' THEN {text} END AS told
            FROM (SELECT *, coalesce({facts or "FALSE"}, FALSE) AS facts FROM typed t) t
            JOIN (SELECT *, {coded} AS coded FROM cells c) c USING (row)
            JOIN raw_cells r USING (row) WHERE reason IS NOT NULL ORDER BY row
            """
        ).fetchall()
        rows = [(row, reason, (text and str(told_count([text]) or "")) or None) for row, reason, text in found]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _system_sql(self) -> str:
        if self.source.system:
            return literal(self.source.system)
        return f"CASE WHEN regexp_full_match(upper(dossier_code), '{NATIONAL_CODE}') THEN 'national' ELSE {literal(self.source.key)} END"

    # ---- text → type, per kind

    def _typed(self, column: Column, header: Header, texts: dict[str, str]) -> str | None:
        """None where no cell tells of the column."""
        name = column.name
        if column.kind in ("procedure_code", "procedure", "field"):
            return self._procedure(column, texts)
        if name not in texts:
            return None
        if column.kind == "code":
            return name
        if column.kind == "timestamp":
            return moment_sql(name, self.source, self._some_text(name))
        if column.kind == "count":
            plain = f"CASE WHEN regexp_full_match({name}, '\\d{{1,3}}([.,]\\d{{3}})+') THEN regexp_replace({name}, '[.,]', '', 'g') ELSE {name} END"
            return f"try_cast(CASE WHEN regexp_full_match({plain}, '\\d{{1,9}}(\\.0+)?') THEN {plain} END AS DECIMAL(18, 2))::INTEGER"
        if column.kind == "unit":
            return self._fitting(name, own_name) if self.source.units == "from_file" else "unit_text.kept"
        words = header.layout.words(name) | self._own_words(column)
        known = case(name, self._known(name, words), column.kind == "flag")
        if name == "status":
            return f"CASE WHEN {name} IS NULL THEN NULL ELSE coalesce({known}, 'unknown') END"
        return known

    def _unit_texts(self) -> pl.DataFrame:
        """Every text of the unit column → what is kept of it."""
        kept = [(text, self.names.kept(text)) for text in self._distinct("unit")]
        return pl.DataFrame(kept, schema={"written": pl.String, "kept": pl.String}, orient="row")

    def _procedure(self, column: Column, texts: dict[str, str]) -> str | None:
        """The procedure's code, its name, or its field. A known code says which procedure it is, also where several
        share a name, and a name that only one has gives its code; the field is the register's own, and the code's
        where the register gives none that is known."""
        name, own = column.name, self.source.procedures == "from_file"
        by_name = {} if own or "procedure" not in texts else self._known("procedure", known_names())
        by_code = [f"known_code.{name}_of_code"] if "procedure_code" in texts else []
        ways = []
        if name == "procedure_code":
            # a local code is its national one with an office's suffix
            local = partial(own_code, pattern=None if own else column.harmless)
            ways = [*([] if own else by_code), self._fitting(name, local)] if by_code else []
            ways += [case("procedure", by_name)] if by_name else []
        elif name in texts and own:
            ways = [self._fitting(name, own_name), *by_code]
        elif name == "procedure":
            names = {written: procedures()[code].name for written, code in by_name.items()}
            ways = [*by_code, *([case(name, names)] if name in texts else [])]
        else:
            ways = [case(name, self._known(name, known_fields()))] if name in texts else []
            ways += by_code
        return f"coalesce({', '.join(ways)})" if ways else None

    def _fitting(self, name: str, fits: Callable[[str], str]) -> str:
        """A column as far as its texts fit, asked of each text once where they are few. fits: the SQL of a cell as far as it
        fits, of the cell's."""
        return without_unfit(self.con, name, self.few[name], fits) if name in self.few else fits(name)

    def _known(self, name: str, words: dict[str, str]) -> dict[str, str]:
        """The texts of a column that fold to a known word → what they mean."""
        return {text: words[fold(text)] for text in self._distinct(name) if fold(text) in words}

    def _known_codes(self) -> pl.DataFrame:
        found = {c: code for c in self._distinct("procedure_code") if (code := national_code(c))}
        known = {c: procedures().get(code) for c, code in found.items()}
        return pl.DataFrame(
            [
                (c, code, p and p.name, p and p.field)
                for (c, code), p in zip(found.items(), known.values(), strict=True)
            ],
            schema=dict.fromkeys(("code", "procedure_code_of_code", "procedure_of_code", "field_of_code"), pl.String),
            orient="row",
        )

    def _distinct(self, name: str) -> list[str]:
        if name in self.few:
            return self.few[name]
        found = self.con.execute(f"SELECT DISTINCT {name} FROM cells WHERE {name} IS NOT NULL ORDER BY ALL").fetchall()
        return [text for (text,) in found]

    def _own_words(self, column: Column) -> dict[str, str]:
        return self.source.values.get(column.kind, {}) | self.source.values.get(column.name, {})

    def _some_text(self, name: str) -> str | None:
        if name in self.few:
            return next(iter(self.few[name]), None)
        found = self.con.execute(f"SELECT {name} FROM cells WHERE {name} IS NOT NULL LIMIT 1").fetchall()
        return found[0][0] if found else None

    # ---- what could not be parsed

    def _faults(self, texts: dict[str, str], surplus: bool, c: str, t: str) -> Iterator[tuple[str | None, str, str]]:
        """(column, reason, predicate) of every fault that a row may have; c, t: what stands before the names of texts and
        of typed columns."""
        if surplus:
            yield None, "too_many_cells", f"{c}surplus"
        for name, column in columns().items():
            if column.required:
                yield name, "missing", f"{c}{name} IS NULL" if name in texts else "TRUE"
            if name in texts and column.kind != "code":
                unknown = f"{t}status = 'unknown'" if name == "status" else "FALSE"
                lost = f"{c}{name} IS NOT NULL AND ({t}{name} IS NULL OR {unknown})"
                yield name, "not_read" if column.unknown == "reject" else "word_not_known", lost

    def _rejected(self, texts: dict[str, str], surplus: bool, typed: pl.DataFrame) -> pl.DataFrame:
        """Each fault of each row: `row`, `column`, `reason`."""
        if not typed["faulty"].any():
            return pl.DataFrame(schema={"row": pl.Int64, "column": pl.String, "reason": pl.String})
        self.con.register("typed", typed.filter("faulty"))
        faults = ", ".join(
            f"{{'column': {literal(column) if column else 'NULL'}, 'reason': CASE WHEN {lost} THEN '{reason}' END}}"
            for column, reason, lost in self._faults(texts, surplus, "c.", "t.")
        )
        return self.con.sql(
            'SELECT row, fault."column", fault.reason FROM ('
            f"SELECT row, unnest([{faults}]) AS fault FROM cells c JOIN typed t USING (row)) "
            "WHERE fault.reason IS NOT NULL ORDER BY row"
        ).pl()

    def _explain(self, problems: pl.DataFrame, others: pl.DataFrame, sheet: str | None) -> pl.DataFrame:
        """Problems with what was expected and found; a value is shown only where it is harmless, else its shape."""
        found = []
        if problems.height:
            self.con.register("problems", problems)
            texts = self.con.sql("SELECT c.* FROM cells c SEMI JOIN problems USING (row)").pl()
            self.con.unregister("problems")
            by_row = {r["row"]: r for r in texts.iter_rows(named=True)}
            for p in problems.iter_rows(named=True):
                if p["column"] is None:
                    found.append((sheet, p["row"], "rejected", p["reason"], None, None, None))
                    continue
                column = columns()[p["column"]]
                value = by_row[p["row"]].get(p["column"])
                shown = None if value is None else value if column.shows(value) else shape(value)
                verdict = "notice" if p["reason"] == "word_not_known" else "rejected"
                found.append((sheet, p["row"], verdict, p["reason"], p["column"], str(self._expected(column)), shown))
        for row, reason, told in others.iter_rows():
            found.append((sheet, row, "excluded", reason, None, None, told))
        aside = pl.DataFrame(found, schema=SET_ASIDE_SCHEMA, orient="row")
        bad = aside.filter(pl.col("verdict") == "rejected").select("row")
        return aside.filter((pl.col("verdict") != "notice") | ~pl.col("row").is_in(bad["row"].implode()))

    def _expected(self, column: Column) -> Text:
        if column.kind == "timestamp":
            return Text("ngày/tháng/năm [giờ:phút[:giây]]", "day/month/year [hour:minute[:second]]")
        if column.kind == "count":
            return Text("số nguyên không âm", "a whole number, not negative")
        if column.kind in (*CODED, "flag"):
            return Text("một chữ đã khai báo", "a declared word")
        return Text(column.label.vi, column.label.en)


_OPENING = Lock()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One database for all files of a night: to start one takes as long as to conform a small file."""
    return duckdb.connect(":memory:")


def _connection() -> duckdb.DuckDBPyConnection:
    """A connection of its own: files may be conformed side by side."""
    with _OPENING:
        return _engine().cursor()


def _times(frame: pl.DataFrame, texts: dict[str, str]) -> dict[str, str]:
    """Column → its cell, of those whose cells are times; none where a row does not say when it was received, and so may be
    no dossier: what else it is its text tells."""
    kinds = {column: cell for column, cell in texts.items() if columns()[column].kind == "timestamp"}
    found = {column: cell for column, cell in kinds.items() if frame.schema[cell] == pl.Datetime}
    return found if "received_at" in found and not frame[found["received_at"]].null_count() else {}


# ---- SQL pieces


def row_schema() -> dict[str, pl.DataType]:
    """Stored columns of a conformed row: row, dossier_id, canonical columns without the code."""
    return {"row": pl.Int64(), "dossier_id": pl.String()} | {
        name: DTYPES[c.kind] for name, c in columns().items() if c.kind != "code"
    }
