"""Cross-checks of a database under construction: accounting, identities, sums, continuity, completeness, findings.

A check is a query that returns the failing rows. Blocking ones keep a build from being published (DESIGN §4.7).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl

from pipeline.declare.columns import codes
from pipeline.declare.figures import labels, measures
from pipeline.declare.forms import form
from pipeline.declare.rules import OURS
from pipeline.declare.text import Text
from pipeline.measure.heart import heart_select
from pipeline.measure.moved import NOW, WHOLE, Part
from pipeline.measure.tally import tally
from pipeline.warehouse.sql import statement

SAMPLE = 20  # failing rows of a check that are kept
ALL = 100_000  # where each of them is a finding of its own


@dataclass(frozen=True)
class Check:
    """`sql` returns the failing rows: what to show of each, most telling column first. kept: how many of them are."""

    code: str
    blocking: bool
    label: Text
    sql: str
    kept: int = SAMPLE


@dataclass(frozen=True)
class Outcome:
    check: Check
    failures: int
    sample: list[dict[str, Any]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.failures == 0


def _identity_sql() -> str:
    """By unit. By field they hold of any dossiers, for they hold of every origin with every outcome (test_declarations)."""
    parts = [
        f"SELECT period, unit_id, \"by\", field, '{name}' AS identity, '{rule}' AS rule FROM form_ii06a WHERE basis = 'dossiers' AND \"by\" = 'unit' AND NOT ({rule})"
        for name, rule in form("ii06a").identities.items()
    ]
    return " UNION ALL ".join(parts)


def _sums_of_labels() -> list[str]:
    """Of origin, and of outcome: the sum of the measures of its values, one of which each dossier has."""
    of = {measure.where: name for name, measure in measures().items()}
    each = [[of[f"{name} = '{value}'"] for value in labels()[name].values] for name in ("origin", "outcome")]
    return [f"({' + '.join(names)})" for names in each]


def _statuses(*groups: str) -> str:
    """The status codes of these groups."""
    return str(tuple(code.value for code in codes("status").values() if code.group in groups))


def checks() -> list[Check]:
    return [
        Check(
            "accounting",
            True,
            Text(
                "Mọi dòng của mọi tệp đều được tính, loại hoặc từ chối",
                "Every row of every file is counted, excluded or rejected",
            ),
            """SELECT f.source || '/' || f.name AS file, f.file_id, f.rows_in, coalesce(sum(a.rows), 0)::BIGINT AS rows_told
               FROM file f LEFT JOIN file_account a USING (file_id) GROUP BY ALL HAVING rows_told <> f.rows_in""",
        ),
        Check(
            "one_label",
            True,
            Text(
                "Mỗi hồ sơ một lần trong mỗi kỳ, một nguồn, một kết quả",
                "Each dossier once in a period, one origin, one outcome",
            ),
            f"""SELECT period, unit_id, n AS rows FROM often_period WHERE n > 1
               UNION ALL SELECT period, unit_id, total FROM unit_count WHERE {" OR ".join(f"total <> {each}" for each in _sums_of_labels())}
               UNION ALL SELECT period, unit_id, count(*) FROM period_unit GROUP BY period, unit_id HAVING count(*) > 1""",
        ),
        Check(
            "received_once",
            True,
            Text(
                "Mỗi hồ sơ có mặt trong kỳ mà nó được tiếp nhận",
                "Every dossier stands in the period in which it was received",
            ),
            # days between two days on which some period begins or is cut off are one day to all periods
            """WITH edge AS (SELECT DISTINCT unnest([period_from, as_of + 1]) AS day FROM period_unit WHERE as_of IS NOT NULL),
                    stretch AS (SELECT received_on, max(day) AS since FROM (SELECT DISTINCT received_on FROM dossier) JOIN edge ON day <= received_on GROUP BY received_on),
                    stretches AS (SELECT unit_id, since, count(*) AS n FROM dossier JOIN stretch USING (received_on) WHERE episode = 1 GROUP BY unit_id, since),
                    expected AS (SELECT p.period, d.unit_id, sum(d.n)::BIGINT AS n FROM stretches d
                                 JOIN period_unit p ON p.unit_id = d.unit_id AND d.since BETWEEN p.period_from AND p.as_of GROUP BY ALL),
                    there AS (SELECT period, register_unit_id AS unit_id, sum(received)::BIGINT AS n FROM period_tally GROUP BY ALL)
               SELECT e.period, e.unit_id, e.n - coalesce(t.n, 0) AS dossiers FROM expected e LEFT JOIN there t USING (period, unit_id)
               WHERE e.n IS DISTINCT FROM t.n""",
        ),
        Check(
            "identities",
            True,
            Text("Các đẳng thức của biểu II.06a", "The identities of form II.06a"),
            _identity_sql(),
        ),
        Check(
            "as_days_tell",
            True,
            Text(
                "Số hồ sơ của mỗi đơn vị đúng như ngày tháng của chúng cho biết",
                "Each unit's dossiers are as many as their days tell",
            ),
            # Finished dossiers with a status that is not known are "unclassified", and so are open ones. Where a dossier
            # stands twice, one_label tells it.
            """WITH days AS (SELECT period, unit_id, sum(rows) AS total, sum(carried) AS carried_over, sum(open) AS open
                             FROM period_tally WHERE coverage <> 'no_data' GROUP BY period, unit_id)
               SELECT period, unit_id, c.total, d.total AS total_by_days, c.carried_over, d.carried_over AS carried_over_by_days,
                      c.open, d.open AS open_by_days
               FROM unit_count c FULL JOIN days d USING (period, unit_id)
               WHERE ((c.total, c.carried_over) IS DISTINCT FROM (d.total, d.carried_over) OR d.open NOT BETWEEN c.open AND c.open + c.unclassified)
                 AND (period, unit_id) NOT IN (SELECT (period, unit_id) FROM often_period WHERE n > 1)""",
        ),
        Check(
            "continuity",
            False,
            Text(
                "Tồn cuối kỳ trước bằng tồn đầu kỳ sau",
                "Open at the end of a period = carried over into the next",
            ),
            """SELECT period_before, period, unit_id, side, reason, count(*) AS dossiers FROM continuity_break GROUP BY ALL""",
        ),
        Check(
            "completeness",
            False,
            Text("Mọi đơn vị của huyện, xã đều có số liệu", "Every unit of the district has data"),
            """SELECT p.period, u.unit, p.units_full, p.units FROM period_coverage p JOIN unit u USING (unit_id)
               WHERE p.kind = 'quarter' AND p.scheme = default_scheme() AND p.units > 1 AND p.unit_id <> '*' AND u.kind IN ('district', 'group')
                 AND p.units_full < p.units AND p.coverage <> 'no_data'""",
        ),
        Check(
            "state_at_cutoff_unknown",
            False,
            Text(
                "Trạng thái tại ngày chốt: hồ sơ đang mở nhưng chưa có tệp nào xuất trước ngày chốt",
                "State at the cut-off: open dossiers that no file exported by then tells of",
            ),
            """SELECT period, t.unit_id, sum(cutoff_unknown)::BIGINT AS dossiers FROM period_tally t JOIN period p USING (period)
               WHERE coverage <> 'no_data' AND p.kind = 'quarter' AND p.scheme = default_scheme() GROUP BY ALL HAVING dossiers > 0""",
        ),
        Check(
            "status_and_date",
            False,
            Text(
                "Trạng thái và ngày kết thúc khớp nhau (đã xong mà không có ngày; đang xử lý mà có ngày)",
                "Status and finish date agree (done without a date; in progress with one)",
            ),
            f"""SELECT f.source || '/' || f.name AS file, status, has_date, dossiers
               FROM (SELECT file_id, status, finished_at IS NOT NULL AS has_date, count(*) AS dossiers FROM dossier
                     WHERE CASE WHEN finished_at IS NULL THEN status IN {_statuses("resolved", "withdrawn", "returned")}
                           ELSE status IN {_statuses("open", "paused")} END AND episode = episodes GROUP BY ALL)
               JOIN file f USING (file_id)""",
        ),
        Check(
            "unit_not_valid",
            False,
            Text(
                "Hồ sơ tính ở đơn vị không tồn tại tại ngày chốt (đã bãi bỏ mà không có một nơi thay, hoặc chưa thành lập)",
                "Dossiers counted in a unit that does not exist at the cut-off (abolished without a successor, or not yet made)",
            ),
            """SELECT c.period, c.unit_id, u.unit, sum(c.total)::BIGINT AS dossiers FROM unit_count c JOIN unit u USING (unit_id)
               WHERE c.kind = 'quarter' AND c.scheme = default_scheme() AND (u.valid_from > c.as_of OR u.valid_to < c.as_of) GROUP BY ALL
               ORDER BY c.period DESC, c.unit_id""",
        ),
        Check(
            "reopened",
            False,
            Text("Hồ sơ mở lại sau khi đã giải quyết", "Dossiers reopened after a conclusion"),
            "SELECT unit_id, count(*) AS dossiers FROM dossier WHERE episode > 1 GROUP BY ALL",
        ),
        Check(
            "odd_dates",
            False,
            Text(
                "Ngày tháng lạ: hẹn trả hoặc kết thúc trước khi tiếp nhận",
                "Odd dates: due or finished before received",
            ),
            """SELECT unit_id, CASE WHEN concluded_on < received_on THEN 'finished_before_received' ELSE 'due_before_received' END AS kind,
                      count(*) AS dossiers FROM dossier WHERE due_on < received_on OR concluded_on < received_on GROUP BY ALL""",
        ),
        Check(
            "quiet_end",
            False,
            Text(
                "Tệp có hồ sơ mới gần ngày cuối mà nó bao quát (nếu không: khai báo exported_at hoặc to)",
                "A file has receipts near the last day it covers (if not: declare exported_at or to)",
            ),
            """SELECT f.source || '/' || f.name AS file, f.file_id, f.last_day, max(n.last_received_on) AS newest_receipt
               FROM unit_named n JOIN file f USING (file_id)
               WHERE f.extent IN ('full', 'received_in') AND f.last_day IS NOT NULL AND f.withdrawn_at IS NULL
               GROUP BY ALL HAVING date_diff('day', newest_receipt, f.last_day) > 92""",
        ),
        Check(
            "vanished",
            False,
            Text(
                "Hồ sơ có trong tệp trước mà mất khỏi tệp đầy đủ sau đó",
                "Dossiers of an earlier file that vanished from a later full export",
            ),
            """SELECT f.source || '/' || f.name AS file, v.vanished_on, u.unit, v.was, count(*) AS dossiers
               FROM vanished v JOIN file f USING (file_id) JOIN unit u USING (unit_id)
               WHERE v.reappeared_on IS NULL GROUP BY ALL ORDER BY ALL""",
        ),
        Check(
            "transfers",
            False,
            Text(
                "Hồ sơ chuyển đơn vị, hoặc có ở hai sổ với đơn vị khác nhau",
                "Dossiers that moved between units, or stand in two registers under different units",
            ),
            """SELECT t.kind, t.from_source, a.unit AS from_unit, t.to_source, b.unit AS to_unit, count(*) AS dossiers
               FROM transfer t JOIN unit a ON a.unit_id = t.from_unit_id JOIN unit b ON b.unit_id = t.to_unit_id
               GROUP BY ALL ORDER BY ALL""",
        ),
        Check(
            "words_not_known",
            False,
            Text("Chữ không nhận ra trong các cột có danh mục", "Words not known in coded columns"),
            """SELECT f.source || '/' || f.name AS file, s."column", count(*) AS rows FROM set_aside s JOIN file f USING (file_id)
               WHERE s.verdict = 'notice' AND s.reason = 'word_not_known' GROUP BY ALL""",
        ),
        Check(
            "summaries",
            False,
            Text(
                "Bảng tổng hợp, dòng tổng tự khớp với nó",
                "Summaries and total rows agree with themselves",
            ),
            """SELECT f.source || '/' || f.name AS file, s.sheet, s.row, s.reason, s."column", s.expected, s.found
               FROM set_aside s JOIN file f USING (file_id)
               WHERE s.verdict = 'notice' AND s.reason NOT IN ('word_not_known', 'header_not_found', 'column_absent', 'return_row_missing') ORDER BY ALL""",
            kept=ALL,
        ),
        Check(
            "return_rows",
            False,
            Text("Biểu thu thập còn đủ các dòng của mẫu", "Returns have all rows of their templates"),
            """SELECT f.source || '/' || f.name AS file, s.sheet, s."column", s.expected
               FROM set_aside s JOIN file f USING (file_id) WHERE s.reason = 'return_row_missing' ORDER BY ALL""",
            kept=ALL,
        ),
        Check(
            "columns_absent",
            False,
            Text(
                "Sổ có cột ngày hẹn trả và cột hình thức nộp",
                "Registers have a due date and a channel",
            ),
            """SELECT f.source || '/' || f.name AS file, s.sheet, s."column", s.found AS headers_not_read
               FROM set_aside s JOIN file f USING (file_id) WHERE s.reason = 'column_absent' ORDER BY ALL""",
        ),
        Check(
            "declared_headers",
            False,
            Text(
                "Mọi tiêu đề khai báo trong source.toml đều có trong tệp",
                "Every header declared in source.toml is in the file",
            ),
            """SELECT f.source || '/' || f.name AS file, s."column", s.expected, s.found
               FROM set_aside s JOIN file f USING (file_id) WHERE s.reason = 'header_not_found' ORDER BY ALL""",
        ),
        Check(
            "reconciliation",
            False,
            Text(
                "Số liệu các đơn vị đã báo cáo khớp với sổ theo dõi",
                "Reported figures agree with the registers",
            ),
            """SELECT r.period, u.unit, r.field, r.measure, r.reported, r.computed, f.source || '/' || f.name AS file, r.row
               FROM reconciliation r JOIN unit u USING (unit_id) JOIN file f USING (file_id)
               WHERE r.difference <> 0 ORDER BY abs(r.difference) DESC, r.period, u.unit, r.measure""",
            kept=ALL,
        ),
        Check(
            "reported_periods",
            False,
            Text(
                "Kỳ của bảng tổng hợp là một kỳ đã khai báo",
                "The days of a summary are those of a declared period",
            ),
            """SELECT DISTINCT f.source || '/' || f.name AS file, r.first_day, r.last_day FROM reported r JOIN file f USING (file_id)
               WHERE NOT EXISTS (SELECT 1 FROM period p WHERE p.period_from = r.first_day AND p.period_to = r.last_day)""",
        ),
        Check(
            "reported_unused",
            False,
            Text(
                "Số báo cáo chung của cả huyện: không tách được cho đơn vị nào, cũng chưa đủ sổ để đối chiếu",
                "Figures of a whole district that belong to no single unit, and lack the registers to compare them with",
            ),
            """SELECT DISTINCT f.source || '/' || f.name AS file, u.unit, p.period FROM reported r
               JOIN file f USING (file_id) JOIN unit u USING (unit_id)
               JOIN period p ON p.period_from = r.first_day AND p.period_to = r.last_day
               WHERE r.counts AND r.value IS NOT NULL AND u.kind NOT IN ('commune', 'counter')
                 AND NOT EXISTS (SELECT 1 FROM reported_figure g WHERE g.period = p.period AND g.unit_id = r.unit_id)
                 AND NOT EXISTS (SELECT 1 FROM reconciliation c WHERE c.period = p.period AND c.unit_id = r.unit_id)""",
        ),
        Check(
            "rejected_rows",
            False,
            Text("Không có dòng nào bị từ chối", "No row was rejected"),
            """SELECT f.source || '/' || f.name AS file, a.reason, a.rows FROM file_account a JOIN file f USING (file_id)
               WHERE a.verdict = 'rejected'""",
        ),
        Check(
            "thresholds",
            False,
            Text("Các ngưỡng đều đạt", "All thresholds are met"),
            """SELECT period, u.unit, indicator, numerator, denominator, needed FROM indicator_value JOIN unit u USING (unit_id)
               WHERE verdict = 'not_met' AND indicator_value.kind = 'quarter' AND scheme = default_scheme()""",
        ),
    ]


def relations_looked_at(con: duckdb.DuckDBPyConnection, counted: Sequence[Part] = WHOLE) -> None:
    """What checks look at beside the tables. counted: as moved.counted_in gives it."""
    tally(con, counted)
    con.execute(statement("measure", "continuity_break").replace("{heart}", heart_select(OURS, "doubted_", "doubted_")))
    con.execute(statement("measure", "often").replace("{anew}", "" if counted == WHOLE else NOW.of))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE often_period AS SELECT period, unit_id, coverage, dossier_id, count(*) AS n "
        f"FROM ({heart_select(OURS, '', 'often_')}) GROUP BY period, unit_id, coverage, dossier_id"
    )


def _outcome(con: duckdb.DuckDBPyConnection, check: Check) -> Outcome:
    """As a relation a check would be taken apart and bound twice, which costs more than it finds. Of failing rows beyond
    those that are kept only the number is: they may be as many as the rows of all files."""
    found = con.execute(check.sql)
    names = [column[0] for column in found.description or []]
    sample = [dict(zip(names, row, strict=True)) for row in found.fetchmany(check.kept)]
    failures = len(sample)
    while others := len(found.fetchmany(ALL)):
        failures += others
    return Outcome(check, failures, sample)


def run_checks(con: duckdb.DuckDBPyConnection, counted: Sequence[Part] = WHOLE) -> list[Outcome]:
    """Runs every check and stores the outcomes as table `finding`: a row per check that found something, and a sample."""
    relations_looked_at(con, counted)
    outcomes = [_outcome(con, check) for check in checks()]
    frame = pl.DataFrame(
        [
            (
                o.check.code,
                "blocking" if o.check.blocking else "warning",
                o.check.label.vi,
                o.check.label.en,
                o.failures,
                json.dumps(row, ensure_ascii=False, default=str),
            )
            for o in outcomes
            for row in o.sample
        ],
        schema={
            "check": pl.String,
            "severity": pl.String,
            "label_vi": pl.String,
            "label_en": pl.String,
            "failures": pl.Int64,
            "detail": pl.String,
        },
        orient="row",
    )
    con.register("incoming", frame)
    con.execute("CREATE TABLE finding AS SELECT * FROM incoming")
    con.unregister("incoming")
    return outcomes
