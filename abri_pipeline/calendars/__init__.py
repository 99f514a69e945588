"""Time: trading sessions, ABRI weeks, publication instants and the clock.

Belongs here: which observations can exist, and when the world could know them.
Does not belong here: data, databases, HTTP.
"""
