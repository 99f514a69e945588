"""The bench: every published figure, measured beside its floor in the same run.

Belongs here: what is measured, and the least that any way of doing it would cost. Nothing here asserts a time.
"""
