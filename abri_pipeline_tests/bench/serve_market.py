"""Serve a market until terminated: `serve_market JOURNAL [DATA]`; the port is the first line written."""

import sys
from pathlib import Path

from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.recorded import RecordedMarket
from abri_pipeline.sandbox.server import serve
from abri_pipeline.sandbox.synthetic import SyntheticMarket


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def main(journal: Path, data: Path | None) -> None:
    """Serve on a port the system chooses, each request a line of the journal."""
    market: Market = RecordedMarket(data) if data else SyntheticMarket()
    with journal.open("w", encoding="utf-8") as out:
        serve(market, 0, out=out, started=_say)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
