"""Which branch of the error tree an HTTP answer belongs to.

Belongs here: statuses, Retry-After, web pages posing as data. Does not belong here: error bodies of one
upstream (its own module).
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from abri_pipeline.calendars import clock
from abri_pipeline.providers.errors import (
    Absent,
    BadRequest,
    RateLimited,
    Refused,
    ServerFailed,
    TimedOut,
    UpstreamError,
)

_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_DAY = 86_400.0  # nobody is believed who asks for more silence than this
_DETAIL = 300  # characters of an upstream's own words to keep


def is_page(content_type: str, body: bytes) -> bool:
    """Whether a body is a web page: a login, a consent form, a proof of work, but no data."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        content_type.lower().startswith("text/html") and start.startswith(b"<")
    )


def detail(content_type: str, body: bytes) -> str:
    """The first words of an answer, on one line; a web page without its tags."""
    words = body[:8192].decode("utf-8", "replace")
    if is_page(content_type, body):
        words = _TAGS.sub(" ", words)
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:_DETAIL]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds an upstream asks us to wait, given as seconds or as an HTTP date; None where it does not say.

    More than a day counts as a day.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value), _DAY)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # not a date, or one that no calendar holds
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - clock.now()).total_seconds()), _DAY)


def failure(
    provider: str, url: str, status: int, headers: Mapping[str, str], content_type: str, body: bytes
) -> UpstreamError:
    """The error that a status other than success stands for."""
    branch, mend = _branch(status)
    said = detail(content_type, body)
    words = f"HTTP {status}: {mend}" + (f" (it says: {said})" if said else "")
    return branch(provider, words, url=url, status=status, detail=said, retry_after=retry_after(headers))


def _branch(status: int) -> tuple[type[UpstreamError], str]:
    if status == 429:
        return RateLimited, "asked too often; wait and run again"
    if status in (408, 425):
        return TimedOut, "the upstream was not ready; run again later"
    if status >= 500:
        return ServerFailed, "the upstream is broken; run again later"
    if status in (404, 410):
        return Absent, "not known to the upstream; check the name"
    if status in (401, 403, 407, 418, 451):
        return Refused, "not allowed; check the key, the plan and the contact in the settings"
    return BadRequest, "the upstream does not accept the request; check symbol and window"
