"""Labels, counts, indicators, thresholds, cross-checks: figures from the dossiers. Reads no files."""
