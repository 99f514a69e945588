"""History of crypto bars from data.binance.vision: one zip a pair, timeframe and day, each with its checksum.

Belongs here: which files make a window, their checksums, unpacking within bounds.
Does not belong here: HTTP (transport), reading of the rows (`klines`), the newest day (`binance`).
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC, date, timedelta

import pandas as pd

from abri_pipeline.calendars import clock
from abri_pipeline.providers import klines
from abri_pipeline.providers.bars import BarProvider, BarQuery
from abri_pipeline.providers.errors import Absent, Malformed, Truncated
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import utf8

UNPACKED = 16 * 1024 * 1024  # a day of minutes takes 0.2 MB
_CHECKSUM = re.compile(r"(?P<sum>[0-9a-f]{64})\s+\*?(?P<name>\S+)\s*")


class BinanceVision(BarProvider):
    """Spot klines from the archive, in the quote asset of the pair; volume in its base asset.

    A day without a file (before the listing, or not published yet) has no bars; a window without any is absent.
    """

    name = "binance-vision"
    adjustment = "none"
    timeframes = ("1m", "5m", "15m", "30m", "1h", "1d")
    spelling = r"[A-Z0-9]{2,30}"

    def _pages(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]:
        today = clock.now().astimezone(UTC).date()
        end = min(query.end, today - timedelta(days=1))  # a day is published once it is over
        days = [query.start + timedelta(days=n) for n in range((end - query.start).days + 1)]
        found = tuple(page for day in days if (page := _file(transport, query, day)) is not None)
        if days and not found:
            raise Absent(self.name, f"has no file of {query.symbol} from {days[0]} to {days[-1]}")
        return found

    def parse(self, bodies: Sequence[bytes], query: BarQuery) -> pd.DataFrame:
        """Read the files of one window; see `BarProvider`."""
        rows = [row for body in bodies for row in _records(body, query)]
        return klines.frame(self.name, query, [int(row[0]) for row in rows], [row[1:6] for row in rows])


def _file(transport: Transport, query: BarQuery, day: date) -> Payload | None:
    """One day's file, checked against its checksum; None where there is none."""
    name = f"{query.symbol}-{query.timeframe}-{day}.zip"
    path = f"/data/spot/daily/klines/{query.symbol}/{query.timeframe}/{name}"
    try:
        said = transport.get("binance-vision", f"{path}.CHECKSUM")
    except Absent:
        return None
    told = _CHECKSUM.fullmatch(utf8(said.body, "binance-vision"))
    if told is None or told["name"] != name:
        raise Malformed("binance-vision", f"the checksum of {name} cannot be read")
    payload = transport.get("binance-vision", path)
    if payload.sha256 != told["sum"]:
        raise Truncated("binance-vision", f"{name} does not match its checksum; fetch it again", url=payload.url)
    return payload


def _records(body: bytes, query: BarQuery) -> list[list[str]]:
    """The records of one file; a header line, which some files have, is passed over."""
    words = utf8(_unpacked(body, query), "binance-vision")
    try:
        records = [row for row in csv.reader(io.StringIO(words), strict=True) if row]
    except csv.Error as error:
        raise Malformed("binance-vision", f"a file is no CSV ({error})") from error
    if records and records[0][0] == "open_time":
        records = records[1:]
    for row in records:
        if len(row) < 6 or not (row[0].isascii() and row[0].isdigit() and len(row[0]) <= 19):
            raise Malformed("binance-vision", "a record is no kline")
    return records


def _unpacked(body: bytes, query: BarQuery) -> bytes:
    """The one CSV of a zip.

    Raises:
        Malformed: no zip, several files, another pair's, or more than `UNPACKED` bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            members = packed.infolist()
            if len(members) != 1 or not members[0].filename.startswith(f"{query.symbol}-{query.timeframe}-"):
                raise Malformed("binance-vision", "a zip does not hold the one file that it is named for")
            # the stated size may lie, so one byte more than allowed is read and no more
            with packed.open(members[0]) as file:
                words = file.read(UNPACKED + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: a password is wanted
        raise Malformed("binance-vision", f"a file is no sound zip ({str(error)[:80]})") from error
    if len(words) > UNPACKED:
        raise Malformed("binance-vision", f"a file unpacks to more than {UNPACKED // 1024**2} MB; not read")
    return words
