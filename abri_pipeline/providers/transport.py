"""The only HTTP client: everything that is asked of an upstream goes through `Transport.get`.

Belongs here: connections, deadlines, bounded retries, redirects, counting. Does not belong here: what is
asked for and what the answer means (each provider's module).
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx
import stamina

from abri_pipeline.calendars import clock
from abri_pipeline.providers import answers, body, redact
from abri_pipeline.providers.errors import (
    BadRequest,
    RateLimited,
    Refused,
    TimedOut,
    Transient,
    Truncated,
    Unreachable,
    UpstreamError,
)
from abri_pipeline.providers.hosts import Place, origin, place
from abri_pipeline.providers.pacing import Pacer
from abri_pipeline.providers.payload import Payload
from abri_pipeline.settings import Settings

__all__ = ["Payload", "Transport"]

ATTEMPTS = 5
CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
DEADLINE_SECONDS = 60.0
BODY_LIMIT = 64 * body.MEGABYTE
REDIRECTS = 3
Scalar = str | int | float | bool


class Transport:
    """Asks upstreams, politely and within bounds. One per process; any number of threads may share it.

    Args:
        settings: where the upstreams are, and who asks.
        sleep: called with seconds when a polite rate makes a request wait.
        client: the HTTP client, for tests; by default one that trusts no proxy of the environment.
        deadline: most seconds one `get` may take, retries and waits included.
        limit: most bytes of a body, unpacked.

    Attributes:
        settings: as given.
        calls: requests sent per upstream, retries and redirects included.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sleep: Callable[[float], object] | None = None,
        client: httpx.Client | None = None,
        deadline: float = DEADLINE_SECONDS,
        limit: int = BODY_LIMIT,
    ) -> None:
        redact.remember(settings.secrets())
        for name in ("httpx", "httpcore"):  # at INFO they write whole addresses, keys included
            logging.getLogger(name).setLevel(logging.WARNING)
        self.settings = settings
        self.calls: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._pacer = Pacer(sleep or threading.Event().wait)
        self._deadline = deadline
        self._limit = limit
        self._client = client or httpx.Client(
            trust_env=False, follow_redirects=False, limits=httpx.Limits(max_connections=16)
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(
        self,
        upstream: str,
        path: str,
        params: Mapping[str, Scalar] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Payload:
        """Ask one upstream for one path.

        Transient failures are tried again, at most five times in all, with exponential waits of full jitter,
        and never before the upstream's own Retry-After; others are raised at once.

        Args:
            upstream: name in the table of `hosts`, such as `yahoo`.
            path: begins with a slash; what is quoted in it stays quoted.
            params: query parameters; keys among them never appear in the payload or an error.
            headers: further request headers.

        Raises:
            UpstreamError: always one of the tree in `errors`, and nothing else.
        """
        where = place(upstream, self.settings)
        ask = _Ask(upstream, where, where.base + path, dict(params or {}), dict(headers or {}))
        ends = time.monotonic() + self._deadline
        for attempt in stamina.retry_context(on=_Backoff(ends), attempts=ATTEMPTS, timeout=self._deadline):
            with attempt:
                return self._attempt(ask, ends)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _attempt(self, ask: "_Ask", ends: float) -> Payload:
        """One try, redirects included, with every failure named."""
        address, params = ask.address, ask.params
        try:
            for _ in range(REDIRECTS + 1):
                answer = self._request(ask, address, params, ends)
                if isinstance(answer, Payload):
                    return answer
                address, params = answer, {}
        except UpstreamError as error:
            if error.retry_after is not None:
                self._pacer.hold(ask.upstream, error.retry_after)
            raise
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise _named(error, ask, self.settings) from error
        raise Refused(ask.upstream, f"redirects more than {REDIRECTS} times", url=ask.address)

    def _request(self, ask: "_Ask", address: str, params: Mapping[str, Scalar], ends: float) -> Payload | str:
        """The payload, or the address the upstream redirects to."""
        self._depart(ask, ends)
        left = max(0.1, ends - time.monotonic())
        timeout = httpx.Timeout(min(READ_SECONDS, left), connect=min(CONNECT_SECONDS, left))
        asked = {"User-Agent": ask.where.agent, "Accept-Encoding": "gzip", **ask.headers}
        # an empty mapping would make httpx drop the query that a redirect brought along
        with self._client.stream("GET", address, params=params or None, headers=asked, timeout=timeout) as answer:
            url = redact.url(str(answer.request.url))
            if answer.has_redirect_location:
                return _allowed(ask, address, answer.headers["location"])
            sent = body.read(
                answer,
                provider=ask.upstream,
                url=url,
                limit=self._limit,
                overdue=lambda: time.monotonic() > ends,
            )
            content = redact.body(sent, [*ask.params.values(), *ask.headers.values()])
            kind = answer.headers.get("content-type", "")
            if not answer.is_success:
                raise answers.failure(ask.upstream, url, answer.status_code, answer.headers, kind, content)
            if answers.is_page(kind, content):
                said = answers.detail(kind, content)
                words = f"answered with a web page instead of data; blocked or down ({said})"
                raise Refused(ask.upstream, words, url=url, status=answer.status_code, detail=said)
            market = answer.headers.get("x-abri-market") or None
            return Payload(ask.upstream, url, answer.status_code, kind, content, clock.now(), market)

    def _depart(self, ask: "_Ask", ends: float) -> None:
        """Wait for this request's turn and count it; give up at once where the turn comes after the deadline."""
        delay = self._pacer.delay(ask.upstream)
        if time.monotonic() + delay > ends:
            words = f"may be asked again in {delay:.0f} s, which is past the deadline; run again later"
            raise RateLimited(ask.upstream, words, url=ask.address, retry_after=delay)
        self._pacer.wait(ask.upstream, ask.where.gap)
        with self._counting:
            self.calls[ask.upstream] += 1


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request as the caller meant it."""

    upstream: str
    where: Place
    address: str
    params: dict[str, Scalar]
    headers: dict[str, str]


class _Backoff:
    """Decides whether a failure is tried again, and after how many seconds."""

    def __init__(self, ends: float) -> None:
        self._ends = ends
        self._failures = 0

    def __call__(self, error: Exception) -> bool | float:
        if not isinstance(error, Transient):
            return False
        self._failures += 1
        if isinstance(error, Unreachable):
            # nobody listens: a wrong address should be told at once, a restarting server gets a moment
            wait = random.uniform(0.1, 0.6) if self._failures < 3 else None  # noqa: S311 - jitter, no secret
        elif error.retry_after is not None:
            wait = error.retry_after + random.uniform(0, 0.25)  # noqa: S311 - jitter, no secret
        else:
            wait = random.uniform(0, min(10.0, 0.5 * 2**self._failures))  # noqa: S311 - jitter, no secret
        if wait is None or time.monotonic() + wait >= self._ends:
            return False
        return wait


def _allowed(ask: _Ask, address: str, location: str) -> str:
    """The absolute target of a redirect, if it stays with the upstream."""
    try:
        target = urljoin(address, location)
        stays = origin(target) in ask.where.origins
    except ValueError:  # not an address at all
        target, stays = location, False
    if not stays:
        words = f"redirects to {redact.url(target)}, which is none of its known hosts; not followed"
        raise Refused(ask.upstream, words, url=ask.address)
    return target


def _named(error: Exception, ask: _Ask, settings: Settings) -> UpstreamError:
    """A failure of the connection, in the words of the tree."""
    name, url, cause = ask.upstream, ask.address, str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        host = httpx.URL(url).netloc.decode("ascii", "replace")
        mend = (
            "check ABRI_UPSTREAM_URL and that its server runs (`abri sandbox`)"
            if settings.upstream_url
            else "check the network, or set ABRI_UPSTREAM_URL to a server that stands in"
        )
        return Unreachable(name, f"no connection to {host} ({cause}): {mend}", url=url)
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(name, "no answer in time; run again later", url=url)
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
        return Truncated(name, f"the connection broke off ({cause}); run again", url=url)
    return BadRequest(name, f"the request cannot be sent ({cause})", url=url)
