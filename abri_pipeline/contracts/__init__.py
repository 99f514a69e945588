"""Contracts: one frozen declaration for each table the platform keeps.

Belongs here: meaning, grain, keys, fields with units and bounds, sources, cadence, inputs, expectations;
and the default universe. Tables, schemas, assets, checks, docs pages and tests all derive from it.
Does not belong here: I/O, SQL, Dagster, how anything is fetched or computed.
"""
