"""What an upstream sent, as it is archived before anybody reads it.

Belongs here: the bytes and where they came from. Does not belong here: what they mean (parsers), or where
they are kept (warehouse).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property


@dataclass(frozen=True)
class Payload:
    """One answer of one upstream.

    Attributes:
        provider: upstream asked, such as `yahoo`.
        url: address asked, without keys.
        status: HTTP status.
        content_type: as the upstream named it; may be empty.
        body: the bytes, unpacked.
        fetched_at: when the answer was complete, in UTC.
        market: label of a market that stands in (`synthetic`, `recorded`: the sandbox's `X-ABRI-Market`); None for
            the real one.
    """

    provider: str
    url: str
    status: int
    content_type: str
    body: bytes
    fetched_at: datetime
    market: str | None = None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the body, in hex: the name under which it is archived."""
        return hashlib.sha256(self.body).hexdigest()
