"""The record (intake log, archive, versions, restricted store) and the database derived from it; publishing it.

The only room that opens DuckDB files for writing. It knows no indicator.
"""
