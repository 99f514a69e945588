"""Ingestion: plan, fetch, archive, parse, validate, publish - one transaction a (symbol, window).

Belongs here: one module a domain that walks a unit from the upstream's bytes to stored rows, and the books
kept on the way (audit, coverage, gaps, runs).
Does not belong here: HTTP (providers), SQL (warehouse), judgement (quality), Dagster (defs).
"""
