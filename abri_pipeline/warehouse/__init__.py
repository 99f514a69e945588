"""Warehouse: where every table lives, on SQLite or PostgreSQL.

Belongs here: the engine, tables and views derived from the contracts, upserts, reads, locks, the raw archive and
the migrations. Does not belong here: HTTP, Dagster, rules about what a good row is, or anything computed from rows.
"""
