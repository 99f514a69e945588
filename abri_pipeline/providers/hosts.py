"""Where each upstream lives, how fast it may be asked, and how we introduce ourselves.

Belongs here: addresses, rates and the one switch that redirects all of them.
Does not belong here: paths and parameters (each provider's module), quotas of paid plans.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from abri_pipeline.providers.errors import BadRequest, Refused
from abri_pipeline.settings import Settings

AGENT = "abri-pipeline/0.1"


@dataclass(frozen=True, slots=True)
class Upstream:
    """One upstream: its base address, the hosts it may redirect to, and its polite rate."""

    base: str | None
    per_second: float
    others: tuple[str, ...] = ()
    agent: str = AGENT


UPSTREAMS: dict[str, Upstream] = {
    # Yahoo turns away agents that do not look like a browser at all
    "yahoo": Upstream(
        "https://query2.finance.yahoo.com", 4, ("query1.finance.yahoo.com",), f"Mozilla/5.0 (compatible; {AGENT})"
    ),
    "fred": Upstream("https://api.stlouisfed.org/fred", 2),
    "fredgraph": Upstream("https://fred.stlouisfed.org/graph", 2),
    "sec": Upstream("https://data.sec.gov", 8, ("www.sec.gov",)),
    "massive": Upstream("https://api.massive.com", 5 / 60),
    "alphavantage": Upstream("https://www.alphavantage.co", 5 / 60),
    "stooq": Upstream("https://stooq.com", 1),
    "binance": Upstream("https://api.binance.com", 5),
    "binance-vision": Upstream("https://data.binance.vision", 5),
    "coinmetrics": Upstream("https://community-api.coinmetrics.io", 10 / 6),
    "blockchain": Upstream("https://api.blockchain.info", 1),
    "gpu": Upstream(None, 1),
    "rss": Upstream(None, 1),
    "reference": Upstream(None, 4),
}

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where one upstream is asked right now.

    Attributes:
        base: address before the path, without a trailing slash.
        origins: `scheme://host:port` of every place that may be asked, redirects included.
        gap: seconds between two requests; 0 on loopback, where nobody needs sparing.
        agent: the User-Agent to send.
    """

    base: str
    origins: frozenset[str]
    gap: float
    agent: str


def origin(address: str) -> str:
    """`scheme://host:port` of an address, for comparing places."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or {'http': 80, 'https': 443}.get(parts.scheme)}"


def place(name: str, settings: Settings) -> Place:
    """Where an upstream is asked under these settings.

    Raises:
        BadRequest: no upstream of that name, no address for it, or `ABRI_UPSTREAM_URL` is no address.
        Refused: a real SEC host would be asked without `ABRI_CONTACT`.
    """
    upstream = UPSTREAMS.get(name)
    if upstream is None:
        raise BadRequest(name, f"no upstream is called {name!r}; known are {', '.join(sorted(UPSTREAMS))}")
    others: tuple[str, ...] = ()
    if redirect := settings.upstream_url:
        base = f"{_checked(name, redirect)}/{name}"
    elif upstream.base:
        base, others = upstream.base, tuple(f"https://{host}:443" for host in upstream.others)
    else:
        raise BadRequest(name, "has no public address; it is asked only where ABRI_UPSTREAM_URL points to one")
    host = urlsplit(base).hostname or ""
    gap = 0.0 if host in _LOOPBACK else 1 / upstream.per_second
    return Place(base, frozenset({origin(base), *others}), gap, _agent(name, host, upstream.agent, settings))


def _checked(name: str, address: str) -> str:
    """The redirecting address, once it is sure to be one."""
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        sound = False
    if not sound:
        raise BadRequest(name, f"ABRI_UPSTREAM_URL={address!r} is no address; write it as http://127.0.0.1:8900")
    return address


def _agent(name: str, host: str, agent: str, settings: Settings) -> str:
    """The User-Agent; the SEC wants to know whom to write to."""
    contact = settings.get("ABRI_CONTACT")
    if not (host == "sec.gov" or host.endswith(".sec.gov")):
        return agent
    if not contact:
        raise Refused(name, f"{host} is not asked without a contact: set ABRI_CONTACT to your name and mail address")
    if not (contact.isascii() and contact.isprintable()):
        raise Refused(name, "ABRI_CONTACT must be plain ASCII on one line, such as 'Jane Doe jane@example.org'")
    return f"{agent} {contact}"
