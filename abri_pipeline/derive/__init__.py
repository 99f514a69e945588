"""Derived datasets: as-of read, analytics, digest, store.

Belongs here: which stored rows feed a computation, and how its result is kept. Called by defs and cli alike.
Does not belong here: formulas (analytics), HTTP, Dagster.
"""
