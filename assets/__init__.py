"""Dagster over the pipeline: what runs when, and what the page shows of it. No SQL, no work on data."""
