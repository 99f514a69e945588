"""Whether the upstream that stands in for all others is there, before anything depends on it."""

import socket
from urllib.parse import urlsplit

from abri_pipeline.settings import Settings

CONNECT_SECONDS = 3.0


def reachable(settings: Settings) -> None:
    """Nothing where no stand-in is set (real hosts are not knocked at), or where it accepts a connection.

    Raises:
        BadRequest: `ABRI_UPSTREAM_URL` is no address.
        Unreachable: nobody listens there.
    """
    if settings.upstream_url is None:
        return
    from abri_pipeline.providers.errors import Unreachable
    from abri_pipeline.providers.hosts import place

    parts = urlsplit(place("yahoo", settings).base)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    try:
        socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
    except OSError as error:
        said = error.strerror or str(error)
        raise Unreachable(
            "upstream",
            f"no connection to {parts.hostname}:{port} ({said}): nothing was started and nothing lost; "
            "start its server (`abri sandbox`) or correct ABRI_UPSTREAM_URL",
        ) from error


def market(settings: Settings) -> str | None:
    """The label of the market the stand-in serves; None where it has none or no stand-in is set.

    Raises:
        UpstreamError: it does not answer.
    """
    if settings.upstream_url is None:
        return None
    reachable(settings)
    import httpx

    from abri_pipeline.providers.errors import Malformed

    try:
        answer = httpx.get(f"{settings.upstream_url}/_health", timeout=CONNECT_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise Malformed("upstream", f"{settings.upstream_url} does not speak HTTP ({error})") from error
    label: str | None = answer.headers.get("x-abri-market")
    return label
