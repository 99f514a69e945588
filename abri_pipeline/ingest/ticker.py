"""How our own tickers are spelled: one spelling each, so that one instrument never goes by two names.

Belongs here: the house's spelling. Does not belong here: how a vendor writes a name (providers), which names are
followed (watchlist).
"""

import re

_SPELLING = re.compile(r"(?=.*[A-Z])[A-Z0-9]{1,20}(-[A-Z0-9]{1,4})?")
_SHOWN = 40
_MEND = "write it in letters and digits, a share class behind one dash, as NVDA, BRK-B or BTCUSDT"


class BadSymbol(ValueError):
    """A text that cannot be the ticker of an instrument; the message shows it and says how to write one."""


def canonical(text: str) -> str:
    """The one spelling of a ticker: capitals, a share class behind a dash (`brk.b` and `BRK-B` are `BRK-B`).

    Raises:
        BadSymbol: a path, an index such as `^GSPC`, another alphabet, or anything else that no exchange lists.
    """
    stripped = text.strip()
    # Capitals of other alphabets may turn into ours (the long s, the dotless i): they are refused before that.
    spelled = stripped.upper().replace(".", "-") if stripped.isascii() else ""
    if not _SPELLING.fullmatch(spelled):
        shown = stripped if len(stripped) <= _SHOWN else stripped[:_SHOWN] + "…"
        raise BadSymbol(f"{shown!r} is no ticker of an instrument; {_MEND}")
    return spelled
