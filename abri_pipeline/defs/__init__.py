"""Dagster: a thin glaze over ingest and derive.

Belongs here: assets with bodies of a few lines, checks, partitions, schedules, sensors, resources, storage.
Does not belong here: business logic of any kind. Loading this room does no I/O and reads no secret and no clock.
"""
