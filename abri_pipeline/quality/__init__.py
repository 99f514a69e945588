"""Quality: validation against contracts, coverage arithmetic, gaps, completeness, checks by SQL.

Belongs here: every judgement about stored or incoming rows.
Does not belong here: HTTP, Dagster, how rows are fetched or derived.
"""
