"""`abri sandbox`: serve a market on loopback until interrupted."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from abri_pipeline.cli.errors import DONE
from abri_pipeline.cli.terminal import terminal

if TYPE_CHECKING:
    from abri_pipeline.sandbox.market import Market


def sandbox(data: Path | None, port: int, faults: Sequence[str], *, as_json: bool) -> int:
    """Serve; one flushed line a request on stdout (with JSON: on stderr, the document has stdout).

    Raises:
        NoRecordedMarket: `data` holds nothing of the recorded layout.
        FaultError: a switch cannot be read.
        PortInUse: the port is taken.
    """
    from abri_pipeline.calendars import clock
    from abri_pipeline.sandbox.faults import Faults
    from abri_pipeline.sandbox.server import HOST, serve

    switches = Faults.parse(faults)
    market, now = market_of(data), clock.now()

    def started(chosen: int) -> None:
        url = f"http://{HOST}:{chosen}"
        if as_json:
            document = {"url": url, "market": market.label, "data": data, "now": now.isoformat()}
            terminal().document(document | {"faults": switches.listed()})
            return
        what = f"the recorded market of {data}" if data else "a SYNTHETIC market (invented, not a quote of anything)"
        terminal().note(f"serving {what} as of {now:%Y-%m-%dT%H:%M:%SZ}; stop with Ctrl-C")
        terminal().note(f"export ABRI_UPSTREAM_URL={url}")

    with suppress(KeyboardInterrupt):  # the way a sandbox ends
        serve(market, port, faults=switches, out=terminal().err if as_json else terminal().out, started=started)
    return DONE


def market_of(data: Path | None) -> "Market":
    """The recorded market of a folder, or the synthetic one.

    Raises:
        NoRecordedMarket: the folder holds nothing of the recorded layout.
    """
    if data is None:
        from abri_pipeline.sandbox.synthetic import SyntheticMarket

        return SyntheticMarket()
    from abri_pipeline.sandbox.recorded import RecordedMarket

    return RecordedMarket(data)
