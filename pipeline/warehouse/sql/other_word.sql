-- The words that stand in no row of `dossier`: superseded by a later one, outranked, taken back, or of a status that does
-- not count. The last are few and looked up in the history the other way round, so that it is not laid out for them.
CREATE TABLE other_word AS
SELECT t.* EXCLUDE (position), h.nth, h.versions, h.next_file_id
FROM told t JOIN history h ON h.dossier_id = t.dossier_id AND h.position = t.position
WHERE h.nth IS NULL OR h.nth < h.versions
UNION ALL
SELECT t.* EXCLUDE (position), coalesce(h.nth, 1), coalesce(h.versions, 1), NULL
FROM history h RIGHT JOIN (FROM told WHERE status_group = 'not_counted') t ON h.dossier_id = t.dossier_id AND h.position = t.position
WHERE h.dossier_id IS NULL OR h.nth = h.versions
