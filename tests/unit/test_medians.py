"""Medians from the number of dossiers with each value: the same as the median of all values, for every sum of units."""

from __future__ import annotations

import duckdb

from pipeline.declare.figures import indicators
from pipeline.declare.rules import filled
from pipeline.measure.figures import HERE, _median_select

MADE = """
    SELECT setseed(0.4);
    CREATE TABLE node_of AS SELECT unit_id, unnest([unit_id, CASE WHEN unit_id < 'c' THEN 'ab' ELSE 'cdef' END, '*']) AS node
    FROM (SELECT unnest(['a', 'b', 'c', 'd', 'e', 'f']) AS unit_id);
    CREATE TABLE dossier_period AS
    SELECT ['Q1', 'Q2', 'Q3'][1 + i % 3] AS period, ['a', 'b', 'c', 'd'][1 + i % 4] AS unit_id,
           CASE WHEN i % 97 = 0 THEN 'no_data' ELSE 'full' END AS coverage,
           CASE WHEN random() < 0.7 THEN 'resolved_late' ELSE 'open_overdue' END AS outcome,
           CASE WHEN random() < 0.9 THEN CAST(floor(random() * random() * 40) AS BIGINT) END AS processing_days
    FROM range(400) t(i);
    -- an odd and an even number of values, one alone, one that nobody knows
    INSERT INTO dossier_period SELECT 'Q4', 'e', 'full', 'resolved_late', unnest([1, 1, 2, 9]);
    INSERT INTO dossier_period SELECT 'Q4', 'f', 'full', 'resolved_late', unnest([3, NULL, 8, 4]);
    INSERT INTO dossier_period VALUES ('Q5', 'e', 'full', 'resolved_late', 7), ('Q6', 'e', 'full', 'resolved_late', NULL)
"""


def test_medians_are_those_of_all_values() -> None:
    (median,) = [i for i in indicators().values() if i.kind == "median"]
    con = duckdb.connect()
    con.execute(MADE)
    plain = f"""SELECT period, node, median({median.column}) FILTER (WHERE {median.numerator}) AS median
                FROM dossier_period JOIN node_of USING (unit_id) WHERE coverage <> 'no_data' GROUP BY ALL HAVING median IS NOT NULL"""
    expected = con.execute(f"{plain} ORDER BY ALL").fetchall()
    assert con.execute(f"{filled(_median_select(median), HERE)} ORDER BY ALL").fetchall() == expected
    told = {(period, node): value for period, node, value in expected}
    assert told["Q4", "e"] == 1.5 and told["Q4", "f"] == 4.0 and told["Q4", "cdef"] == 3.0 and told["Q5", "*"] == 7.0
    assert ("Q6", "*") not in told and len(told) > 20
