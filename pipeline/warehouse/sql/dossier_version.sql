-- Every word of a register about a dossier, with the time in which it was known, and its place in the dossier's history
-- as known now. What `placed` gives, put together again from what is stored of it once: the newest words in `dossier`.
-- In braces: what stands before the names of the two tables.
CREATE VIEW dossier_version AS
SELECT * FROM {of}other_word
UNION ALL
SELECT d.dossier_id, d.told_unit_id, d.received_at, d.status, d.finished_at, d.procedure_code, d.procedure, d.field,
       nullif(d.channel, 'channel_unknown'), d.due_at, d.returned_at, d.supplement_requested_at, d.extended_due_at,
       d.paused_days, d.component_digitized, d.component_reused, d.result_digitized, d.service_level, d.fee_due,
       d.paid_online, d.certified_copies, d.apology_sent, d.rated, d.rating, coalesce(s.status_group, ''), d.source,
       d.file_id, d.sheet, d.row, d.exported_at, d.known_at, d.lateness, f.precedence, k.known_from, k.known_to,
       d.concluded_at, d.conclusion, d.newest_state, d.versions, d.versions, NULL
FROM {of}dossier d
JOIN file f ON f.file_id = d.file_id
JOIN file_known k ON k.file_id = d.file_id AND k.known_to IS NULL
LEFT JOIN status s ON s.status = d.status
WHERE d.episode = d.episodes
