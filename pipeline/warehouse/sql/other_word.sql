-- The words that stand in no row of `dossier`: superseded by a later one, outranked, taken back, or of a status that does
-- not count.
CREATE TABLE other_word AS
SELECT * EXCLUDE (position, first_exported_at, first_due_at)
FROM placed WHERE nth IS NULL OR nth < versions OR status_group = 'not_counted'
