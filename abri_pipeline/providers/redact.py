"""The one place that takes keys, tokens and passwords out of addresses and texts.

Belongs here: what counts as a secret in an address or a text. Does not belong here: where texts go.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

MASK = "***"

_NAMES = "api[-_]?key|app[-_]?key|access[-_]?key|key|token|access[-_]?token|crumb|secret|password|passwd|pwd|signature"
_SECRET_NAME = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)
# `api_key=abc`, `"apikey": "abc"`, `Authorization: Bearer abc`
_ASSIGNED = re.compile(
    rf"(?P<name>\b[\w-]*?(?:{_NAMES})[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s&\"',;)\]}}]+)", re.IGNORECASE
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)

_known: set[str] = set()


def remember(secrets: Iterable[str]) -> None:
    """Learn literal secrets, so that `text` masks them even where no name stands before them.

    Values shorter than six characters are passed over: masking them would eat ordinary words.
    """
    for secret in secrets:
        if len(secret) >= 6:
            _known.update({secret, quote(secret, safe=""), quote_plus(secret)})


def url(address: str) -> str:
    """An address without its key parameters and without user and password.

    A text that is no address comes back masked as `text` would mask it.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return text(address)
    if not parts.scheme or not parts.netloc:
        return text(address)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _SECRET_NAME.fullmatch(k)]
    host = parts.netloc.rpartition("@")[2]
    return _mask_known(urlunsplit((parts.scheme, host, parts.path, urlencode(kept), "")))


def text(words: str) -> str:
    """A text with every key, token and password in it replaced by `***`."""
    words = _USERINFO.sub(rf"\g<scheme>{MASK}@", words)
    words = _ASSIGNED.sub(rf"\g<name>{MASK}", words)
    words = _BEARER.sub(rf"\1 {MASK}", words)
    return _mask_known(words)


def body(content: bytes, sent: Iterable[object]) -> bytes:
    """An answer's bytes without the keys that its request carried: what an upstream repeats would be archived.

    Args:
        content: as received; nearly every answer comes back as it is.
        sent: values of the request's parameters and headers. Secrets that were not sent cannot be repeated, and
            looking for them could only harm: a password may be a word that the data holds too.
    """
    told = " ".join(map(str, sent))
    for secret in sorted((one for one in _known if one in told), key=len, reverse=True):
        content = content.replace(secret.encode(), MASK.encode())
    return content


def _mask_known(words: str) -> str:
    # longest first: a secret that holds another one must not leave its tail behind
    for secret in sorted(_known, key=len, reverse=True):
        words = words.replace(secret, MASK)
    return words
