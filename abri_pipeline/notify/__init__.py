"""Telling people: what a failed run says, and the mail that carries it.

Belongs here: wording of messages and the SMTP conversation. Does not belong here: Dagster, databases, or the
decision when a message is due.
"""
