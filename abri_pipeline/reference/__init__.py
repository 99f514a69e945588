"""Curated facts that ship with the platform: small CSV tables, each row with its source.

Belongs here: the tables and the one door to them (`tables.packaged`). Does not belong here: parsing (that is
`providers/reference.py`, which reads the same layout from the wire), scoring, anything fetched.
"""

from abri_pipeline.reference.tables import COLUMNS, NAMES, UnknownTableError, packaged

__all__ = ["COLUMNS", "NAMES", "UnknownTableError", "packaged"]
