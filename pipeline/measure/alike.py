"""Dossiers that count alike in every period, put together: a night counts kinds of dossiers, and not each dossier in each
of the ten periods in which it stands.

Labels ask of a dossier's days only on which side of the periods' days they lie, and whether it was concluded before, on
or after its due day. So days between two days of periods are one day here, and dossiers that are then the same are one
row with their number. `dossier_period` is asked of these rows by its own statement. What it asks more of (a reopened
dossier, one that was paused, lateness by the second) stays a row of its own. Not here: what is counted (counted.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from pipeline.declare.figures import labels
from pipeline.declare.rules import OURS
from pipeline.measure.heart import has_states, heart_select

# The place in a period in which a dossier counts: period and unit as one number, and the number for each sum it is in.
PLACES = """
CREATE OR REPLACE TEMP TABLE place AS
SELECT CAST(row_number() OVER (ORDER BY period, unit_id) AS INTEGER) AS place, *
FROM (
    SELECT DISTINCT period, scheme, kind, period_from, period_to, as_of, coverage, counted_unit_id AS unit_id
    FROM {places} WHERE coverage <> 'no_data'
);

CREATE OR REPLACE TEMP TABLE node_place AS
SELECT p.place, p.period, n.node, CAST(dense_rank() OVER (ORDER BY p.period, n.node) AS INTEGER) AS node_place
FROM place p JOIN node_of n ON n.unit_id = p.unit_id
"""
# Of dossiers that are counted together ({of}: what stands before the names of their relations), what `alike` asks.
ASKED = """
-- what the statement of dossier_period asks of periods, under the name that it finds them by
CREATE OR REPLACE TEMP TABLE {of}alike_period_unit AS
SELECT p.place AS period, NULL AS scheme, NULL AS kind, u.period_from, u.period_to, u.as_of, u.as_of_end, NULL AS coverage,
       u.unit_id, NULL AS counted_unit_id
FROM {of}period_unit u JOIN place p ON p.period = u.period AND p.unit_id = u.counted_unit_id;

-- every day of the periods, with the first and last day of the stretch in which it counts alike: from where a period
-- begins or is cut off to the next such day; begins: likewise, where the day of the cut-off is as those before it
CREATE OR REPLACE TEMP TABLE {of}stretch AS
WITH edge AS (SELECT DISTINCT unnest([period_from, as_of, as_of + 1]) AS first_day FROM {of}alike_period_unit),
wide AS (SELECT DISTINCT unnest([period_from, as_of + 1]) AS begins FROM {of}alike_period_unit),
span AS (
    SELECT first_day, lead(first_day) OVER (ORDER BY first_day) - 1 AS last_day, max(begins) OVER (ORDER BY first_day) AS begins
    FROM edge LEFT JOIN wide ON begins = first_day
)
SELECT first_day + CAST(unnest(range(last_day - first_day + 1)) AS INTEGER) AS day, first_day, last_day, begins
FROM span WHERE last_day IS NOT NULL
UNION ALL SELECT min(first_day) - 1, min(first_day) - 2, min(first_day) - 1, min(first_day) - 1 FROM edge
UNION ALL SELECT max(first_day), max(first_day), max(first_day) + 1, max(first_day) FROM edge;

-- dossiers of which labels ask more than the days: each stays a row of its own
CREATE OR REPLACE TEMP TABLE {of}single AS
SELECT DISTINCT d.dossier_id FROM {of}dossier d LEFT JOIN (SELECT DISTINCT dossier_id FROM {of}dossier_state) s USING (dossier_id)
WHERE s.dossier_id IS NOT NULL OR d.episodes > 1 OR d.previous_left_on IS NOT NULL OR d.opened_on IS DISTINCT FROM d.received_on
   OR d.lateness IS DISTINCT FROM 'date' OR d.newest_state IS DISTINCT FROM 'running'
"""
# the columns that `dossier_period` takes from `dossier` and that are as they are in every period: labels are told of them
# where they are asked for, all else is null
TOLD = ("field", "procedure_code", "procedure", "rating", "source", "file_id", "sheet", "row")
# what it takes besides and only a dossier that stays a row of its own tells: what it is of kinds
OF_ONE = {
    "dossier_id": "NULL",
    "episode": "1",
    "opened_on": "received_on",
    "previous_left_on": "NULL::DATE",
    "lateness": "'date'",
    "concluded_at": "NULL::TIMESTAMP",
    "due_at": "NULL::TIMESTAMP",
    "newest_state": "'running'",
    "first_exported_on": "NULL::DATE",
}
# told of dossiers that were concluded, and not before they were received (warehouse/sql/dossier.sql): what has such a value
# stands in the periods in which its conclusion lies, whenever it was received
OF_CONCLUDED = ("processing_days",)
SUMMED = ("certified_copies", "processing_days")
UNTIL = "greatest(coalesce(concluded_on, DATE '9999-12-31'), received_on)"  # as in the table `dossier`


def places(con: duckdb.DuckDBPyConnection, ofs: Iterable[str], among: str = "period_unit") -> None:
    """`place`, `node_place`, and what `alike` needs. Needs the tables of warehouse/build. ofs: what stands before the names
    of `dossier`, `dossier_state`, `period_unit` of dossiers that are counted together, where these are not all. among: the
    relation of the places."""
    con.execute(PLACES.format(places=among))
    for of in ofs:
        con.execute(ASKED.format(of=of))


def alike(
    con: duckdb.DuckDBPyConnection,
    of: str,
    name: str,
    counts: Mapping[str, str],
    keys: Sequence[str] = (),
    valued: str | None = None,
    origin: bool = True,
    due: bool = True,
) -> str:
    """The relation, a view, with a row for each kind of dossier in each place: `place`, the labels of `dossier_period`,
    and `counts`: name → aggregate over the dossiers of a kind. The kinds, each once, are `{of}{name}_dossier`. of: which
    dossiers, as for `places`. keys: columns of `dossier` in which those of a kind are the same; other labels than origin,
    outcome, due_in_period and reopened are told only if they are keys. certified_copies and processing_days, unless keys:
    not null where some dossier of the kind has them. valued: a column without which a dossier does not matter. origin, due:
    whether it matters where a dossier comes from in a period, and when it was due."""
    passed = [c for c in (*statics(), *TOLD) if c not in keys]
    nothing = ", ".join(f"NULL AS {c}" for c in passed)
    told = ", ".join([*keys, *(f"max({c}) AS {c}" for c in SUMMED if c not in keys)])
    sums = ", ".join(f"{sql} AS {n}" for n, sql in counts.items())
    each = f"SELECT unit_id, channel, conclusion, received_on, concluded_on, due_on, {told}, {sums}"
    some = f"WHERE {valued} IS NOT NULL" if valued else ""
    same = ", ".join(f"{value} AS {c}" for c, value in OF_ONE.items())
    # kinds of one unit together, so that what is counted of its places lies together too: half the time of counting
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {of}{name}_kind AS
            {each} FROM ({_by_stretch(con, of, valued, origin, due)}) {some} GROUP BY ALL ORDER BY unit_id, received_on;
            CREATE OR REPLACE TEMP TABLE {of}{name}_one AS
            {each}, {", ".join(OF_ONE)} FROM {of}dossier SEMI JOIN {of}single USING (dossier_id) {some} GROUP BY ALL;
            CREATE OR REPLACE TEMP VIEW {of}{name}_dossier AS SELECT *, {UNTIL} AS counts_until, {nothing}
            FROM (SELECT *, {same} FROM {of}{name}_kind UNION ALL BY NAME FROM {of}{name}_one);
            CREATE OR REPLACE TEMP VIEW {of}{name}_dossier_state AS SELECT * FROM {of}dossier_state"""
    )
    more = "".join(f", d.{n}" for n in counts)
    heart = heart_select(OURS, f"{of}alike_", f"{of}{name}_", more, has_states(con, of))
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {of}{name}_period AS SELECT period AS place, * EXCLUDE (period) FROM ({heart})"
    )
    return f"{of}{name}_period"


def _by_stretch(con: duckdb.DuckDBPyConnection, of: str, valued: str | None, origin: bool, due: bool) -> str:
    """SELECT of the dossiers that need not stay rows of their own, their days those of the stretches; as of `alike`."""
    first, last = con.execute(f"SELECT min(day), max(day) FROM {of}stretch").fetchall()[0]

    def stretch(name: str, day: str) -> str:
        within = f"CASE WHEN {day} < DATE '{first}' THEN DATE '{first}' WHEN {day} > DATE '{last}' THEN DATE '{last}' ELSE {day} END"
        return f"{of}stretch {name} ON {name}.day = {within if first else day}"

    joins = f"LEFT JOIN {stretch('c', 'd.concluded_on')}"
    received, concluded, ends = "r.begins", "c.begins", "NULL::DATE"
    if not origin and valued in OF_CONCLUDED:
        received = concluded
    else:
        joins = f"JOIN {stretch('r', 'd.received_on')} {joins}"
    if due:
        joins += f" LEFT JOIN {stretch('t', 'd.due_on')}"
        same = "c.first_day = t.first_day"
        concluded = f"CASE WHEN {same} AND d.concluded_on > d.due_on THEN c.last_day ELSE c.first_day END"
        ends = f"CASE WHEN {same} AND d.due_on > d.concluded_on THEN t.last_day ELSE t.first_day END"
    asked = ", ".join(dict.fromkeys([*statics(), *SUMMED]))
    return f"""SELECT d.unit_id, {"d.channel" if origin else "'channel_unknown'"} AS channel, d.conclusion, {received} AS received_on,
                      {concluded} AS concluded_on, {ends} AS due_on, {asked}
               FROM {of}dossier d ANTI JOIN {of}single USING (dossier_id) {joins}"""


def statics() -> list[str]:
    """Labels that are as the dossier has them, whatever the period; they may be null."""
    return [name for name, label in labels().items() if not label.never_null]
