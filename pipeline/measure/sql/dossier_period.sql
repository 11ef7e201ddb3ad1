-- The heart: a row for each dossier in each period in which it counts, with one origin and one outcome, as of the
-- cut-off. DESIGN section 2. What stands in braces is a part of the rule set (declare/rules.toml), or a schema: an
-- attached file's views find no table of another schema by themselves. With our own parts this is plain SQL that DuckDB
-- and Spark run unchanged: CASE, comparisons, joins.
SELECT
    p.period, p.scheme, p.kind, p.period_from, p.period_to, p.as_of, p.coverage,
    p.counted_unit_id AS unit_id, d.field, d.procedure_code, d.procedure, d.service_level,
    d.dossier_id, d.episode,
    CASE WHEN {carried_over} THEN 'carried_over' ELSE {channel} END AS origin,
    CASE
        WHEN {concluded} AND d.conclusion <> 'resolved' THEN {not_resolved}
        WHEN {concluded} THEN
            {resolved}
        WHEN {paused} THEN {when_paused}
        WHEN {unclassified} THEN 'unclassified'
        WHEN {overdue} THEN 'open_overdue'
        ELSE 'open_in_term'
    END AS outcome,
    CASE WHEN d.episode > 1 THEN TRUE ELSE FALSE END AS reopened,
    CASE WHEN {due_on} >= p.period_from
          AND {due_on} <= p.as_of THEN TRUE ELSE FALSE END AS due_in_period,
    CASE WHEN d.first_exported_on > p.as_of AND (d.concluded_on IS NULL OR d.concluded_on > p.as_of)
         THEN TRUE ELSE FALSE END AS state_at_cutoff_unknown,
    d.received_on, {due_on} AS effective_due_on, d.due_on, d.concluded_on,
    CASE WHEN d.concluded_on <= p.as_of AND d.conclusion = 'resolved' THEN d.processing_days END AS processing_days,
    d.component_digitized, d.component_reused, d.result_digitized, d.fee_due, d.paid_online, d.certified_copies,
    d.apology_sent, d.rated, d.rating,
    d.unit_id AS register_unit_id, d.source, d.file_id, d.sheet, d.row, CAST(NULL AS STRING) AS seal
FROM {main}dossier d
JOIN {live}period_unit p
  ON p.unit_id = d.unit_id
 AND {in_period}
LEFT JOIN {main}dossier_state s
  ON s.dossier_id = d.dossier_id
 AND s.from_day <= p.as_of
 AND (s.to_day IS NULL OR p.as_of < s.to_day)
