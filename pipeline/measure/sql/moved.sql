-- What tells apart what moved since the published database (attached as `former`) was made: see moved.py.
-- What makes a place count otherwise, whatever its dossiers: its registers, its first day, and whether there is data.
CREATE TEMP VIEW place_now AS
SELECT period, scheme, kind, period_from, period_to, unit_id, counted_unit_id, as_of IS NULL AS unknown, coverage = 'no_data' AS silent
FROM period_unit;
CREATE TEMP VIEW place_then AS
SELECT period, scheme, kind, period_from, period_to, unit_id, counted_unit_id, as_of IS NULL AS unknown, coverage = 'no_data' AS silent
FROM former.live.period_unit;
CREATE TEMP TABLE same_place AS
SELECT DISTINCT period, counted_unit_id AS unit_id FROM period_unit
ANTI JOIN ((FROM place_now EXCEPT FROM place_then) UNION ALL (FROM place_then EXCEPT FROM place_now)) USING (period, counted_unit_id);

-- in these the dossiers that moved are counted, as they are and as they were
CREATE TEMP TABLE now_period_unit AS
SELECT p.* FROM period_unit p SEMI JOIN same_place s ON s.period = p.period AND s.unit_id = p.counted_unit_id;
CREATE TEMP TABLE then_period_unit AS
SELECT p.* FROM former.live.period_unit p SEMI JOIN same_place s ON s.period = p.period AND s.unit_id = p.counted_unit_id;

-- from where to where the cut-offs of a register's periods went on: labels ask on which side of them a dossier's days lie
CREATE TEMP TABLE went_on AS
SELECT unit_id, min(least(n.as_of, t.as_of)) AS since, max(greatest(n.as_of, t.as_of)) AS until
FROM now_period_unit n JOIN then_period_unit t USING (period, unit_id) WHERE n.as_of <> t.as_of GROUP BY unit_id;

-- Dossiers that no new file tells of and that may count otherwise all the same: their state is told otherwise, or a day of
-- theirs lies between the cut-offs. Their rows are as they were, and found by their places. What is asked of days is asked
-- with days that stand fast: so all else is read of the rows that hold alone.
CREATE TEMP TABLE other_state AS
SELECT dossier_id
FROM ((FROM dossier_state EXCEPT FROM former.dossier_state) UNION ALL (FROM former.dossier_state EXCEPT FROM dossier_state))
UNION
SELECT dossier_id FROM dossier_state, (SELECT min(since) AS since, max(until) AS until FROM went_on)
WHERE from_day BETWEEN since AND until OR to_day BETWEEN since AND until OR extended_due_on BETWEEN since AND until;

SET VARIABLE since = (SELECT min(since) FROM went_on);
SET VARIABLE until = (SELECT max(until) FROM went_on);
-- whether all of these were looked up with those that files tell of (warehouse/onward); else all dossiers are asked
SET VARIABLE covered = coalesce(getvariable('near_since') <= getvariable('since') AND getvariable('until') <= getvariable('near_until'), FALSE);
CREATE TEMP TABLE moved_place AS
SELECT d.rowid AS place FROM dossier d SEMI JOIN went_on USING (unit_id) WHERE NOT getvariable('covered') AND {between}
UNION
SELECT d.rowid FROM dossier d SEMI JOIN other_state USING (dossier_id) WHERE NOT getvariable('covered') OR {near} IS NOT TRUE;

-- found first, and then asked whether a file tells of them: else all columns of all dossiers are held against `touched`
CREATE TEMP TABLE moved_dossier AS
WITH found AS MATERIALIZED (SELECT {asked} FROM dossier WHERE rowid IN (FROM moved_place))
FROM found ANTI JOIN touched USING (dossier_id)
UNION ALL
SELECT {asked} FROM looked_up ANTI JOIN touched USING (dossier_id)
WHERE getvariable('covered')
  AND (dossier_id IN (FROM other_state) OR unit_id IN (SELECT unit_id FROM went_on) AND {between});
DROP TABLE looked_up;

CREATE TEMP VIEW now_dossier AS SELECT {asked} FROM telling_dossier UNION ALL FROM moved_dossier;
CREATE TEMP VIEW then_dossier AS SELECT {asked} FROM before_dossier UNION ALL FROM moved_dossier;
CREATE TEMP TABLE moved AS SELECT dossier_id FROM touched UNION SELECT dossier_id FROM moved_dossier;
CREATE TEMP TABLE now_dossier_state AS FROM dossier_state SEMI JOIN moved USING (dossier_id);
CREATE TEMP TABLE then_dossier_state AS FROM former.dossier_state SEMI JOIN moved USING (dossier_id);

-- all other places, with all their dossiers: those that neither ended before the first of them nor came after
CREATE TEMP TABLE stale_period_unit AS
SELECT p.* FROM period_unit p ANTI JOIN same_place s ON s.period = p.period AND s.unit_id = p.counted_unit_id;
SET VARIABLE since = (SELECT min(period_from) FROM stale_period_unit);
CREATE TEMP TABLE stale_dossier AS
SELECT {asked}
FROM (
    SELECT d.* FROM dossier d
    JOIN (SELECT unit_id, min(period_from) AS since, max(as_of) AS until FROM stale_period_unit GROUP BY unit_id) s USING (unit_id)
    WHERE d.received_on <= s.until AND d.counts_until >= s.since AND d.counts_until >= getvariable('since')
);
CREATE TEMP VIEW stale_dossier_state AS FROM dossier_state;

-- periods in which all is as it was: each place to the day, and no dossier that moved stands there; what was counted of them
-- stands in the published database. None where units are summed otherwise, or summaries are told of.
CREATE TEMP TABLE quiet AS
SELECT DISTINCT period FROM period_unit
ANTI JOIN (
    SELECT period FROM (
        (SELECT {place} FROM period_unit EXCEPT SELECT {place} FROM former.live.period_unit)
        UNION ALL (SELECT {place} FROM former.live.period_unit EXCEPT SELECT {place} FROM period_unit)
    )
    UNION ALL
    SELECT period
    FROM (SELECT received_on, counts_until FROM now_dossier UNION SELECT received_on, counts_until FROM then_dossier)
    JOIN (SELECT DISTINCT period, period_from, period_to FROM period_unit) ON received_on <= period_to AND counts_until >= period_from
) USING (period)
WHERE NOT EXISTS (FROM reported_node) AND NOT EXISTS (FROM former.counted.form_ii06a WHERE basis <> 'dossiers')
  AND NOT EXISTS (
      (FROM node_of EXCEPT FROM former.node_of) UNION ALL (FROM former.node_of EXCEPT FROM node_of)
  );
CREATE TEMP VIEW busy_period_unit AS FROM period_unit ANTI JOIN quiet USING (period);
DELETE FROM now_period_unit WHERE period IN (FROM quiet);
DELETE FROM then_period_unit WHERE period IN (FROM quiet)
