"""Patience with a database that went away in the middle of some work: the work is done again once it is back.

Belongs here: telling a lost connection from any other failure, and the bounded retry. Does not belong here: the work,
which must be one that can be done twice (a transaction of its own, or a unit that finds what is stored already).
"""

from collections.abc import Callable
from typing import TypeVar

import stamina
from sqlalchemy.exc import DBAPIError

ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0  # seconds; together about nine, which a restart of PostgreSQL takes at most
_GOING_AWAY = frozenset({"57P01", "57P02", "57P03"})  # shut down by hand, crashed, not yet ready again

Result = TypeVar("Result")


def patiently(work: Callable[[], Result]) -> Result:
    """What the work returns; it is done again where the connection was lost, five times at most.

    Raises:
        DBAPIError: the database did not come back in time.
    """
    for attempt in stamina.retry_context(on=lost, attempts=ATTEMPTS, wait_initial=FIRST_WAIT, wait_max=LONGEST_WAIT):
        with attempt:
            return work()
    raise AssertionError("unreachable: the last attempt returns or raises")


def lost(error: Exception) -> bool:
    """Whether the server was restarted, or the connection to it dropped or refused.

    A full disk, a broken rule or a locked SQLite file are none of that: trying again would not mend them.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # COPY speaks to the driver directly, so its errors come as they are.
    cause = error.orig if isinstance(error, DBAPIError) else error
    import psycopg

    if not isinstance(cause, psycopg.OperationalError):
        return False
    state = cause.sqlstate  # None where the server could not even say
    return state is None or state in _GOING_AWAY or state.startswith("08")
