"""Reading an answer's body whole, within bounds: size after unpacking, time, and a proper end.

Belongs here: streaming, unpacking, the cap. Does not belong here: what the bytes mean.
"""

import zlib
from collections.abc import Callable, Iterator

import httpx

from abri_pipeline.providers.errors import Malformed, TimedOut, Truncated

MEGABYTE = 1024 * 1024


def read(
    response: httpx.Response,
    *,
    provider: str,
    url: str,
    limit: int,
    overdue: Callable[[], bool],
) -> bytes:
    """The whole body, unpacked.

    Unpacking is done here and not by httpx, which neither bounds what a small packet may swell to nor
    notices a gzip stream that ends too early.

    Args:
        response: an open streaming response.
        provider: upstream, for the error.
        url: address without keys, for the error.
        limit: most bytes to accept after unpacking.
        overdue: says whether the deadline has passed; asked at every chunk, so that a drip cannot outlast it.

    Raises:
        Malformed: more than `limit` bytes, or a compression we did not ask for.
        Truncated: the compressed stream is damaged or ends early.
        TimedOut: the deadline passed.
    """
    parts: list[bytes] = []
    size = 0
    for part in _unpacked(response, provider=provider, url=url, limit=limit):
        size += len(part)
        if size > limit:
            raise Malformed(provider, f"the answer is larger than {limit / MEGABYTE:g} MB; not read", url=url)
        if overdue():
            raise TimedOut(provider, "the answer came too slowly; try again later", url=url)
        parts.append(part)
    return b"".join(parts)


def _unpacked(response: httpx.Response, *, provider: str, url: str, limit: int) -> Iterator[bytes]:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Malformed(provider, f"the answer is packed as {encoding!r}, which was not asked for", url=url)
    unpacker = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, whichever the header says
    arrived = False
    try:
        for chunk in response.iter_raw():
            arrived = True
            while chunk:
                # one byte past the limit is enough to see that it was passed
                yield unpacker.decompress(chunk, max_length=min(limit + 1, 4 * MEGABYTE))
                chunk = unpacker.unconsumed_tail
        yield unpacker.flush()  # the few bytes zlib still held back
    except zlib.error as error:
        raise Truncated(provider, f"the answer's compression is damaged ({error}); try again", url=url) from error
    if arrived and (not unpacker.eof or unpacker.unused_data):
        raise Truncated(provider, "the compressed answer does not end where it should; try again", url=url)
