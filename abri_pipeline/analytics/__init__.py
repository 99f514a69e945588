"""Arithmetic of the index: frames in, frames out.

Belongs here: market metrics, indicators, features, the published methods, alert rules. Does not belong
here: databases, HTTP, files, the clock. The same input gives the same bits, on any day and beside any
other rows; replays and digests rest on that.
"""
