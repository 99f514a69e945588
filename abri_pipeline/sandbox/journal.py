"""What every request leaves behind: the market's label on its answer, a count, one line on a stream."""

from collections import Counter
from typing import TextIO
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LABEL = b"x-abri-market"
# Of a path only what cannot break a line or a terminal is printed as it is.
_PLAIN = "/^=-_.~:@,+$!*()"


class Journal:
    """The outermost layer of the sandbox.

    A line is `METHOD PATH STATUS`, flushed. Queries hold keys, so they are never printed. `counts` holds the
    requests by prefix (`yahoo`, `fred` ...), the sandbox's own `/_` pages left out.
    """

    def __init__(self, app: ASGIApp, label: str, counts: "Counter[str]", out: TextIO | None) -> None:
        self.app, self.label, self.counts, self.out = app, label.encode(), counts, out

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500  # what the client sees where the answer never begins

        async def labelled(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (LABEL, self.label)]
            await send(message)

        prefix = scope["path"].split("/")[1]
        if not prefix.startswith("_"):
            self.counts[prefix] += 1
        try:
            await self.app(scope, receive, labelled)
        finally:
            self._write(scope["method"], scope["path"], status)

    def _write(self, method: str, path: str, status: int) -> None:
        if self.out is not None:
            self.out.write(f"{method} {quote(path, safe=_PLAIN)} {status}\n")
            self.out.flush()
