"""The upstreams: one module each, query -> fetch -> pure `parse(bytes)`, all over one transport.

Belongs here: how each wire is asked and read, and how its failures are named.
Does not belong here: what is stored (warehouse), what is missing (ingest), or anything of Dagster.
"""
