"""The layer that applies fault switches to the requests they meet."""

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from abri_pipeline.sandbox import misbehave
from abri_pipeline.sandbox.faults import Fault, Faults
from abri_pipeline.sandbox.wires.fred_series import SHRINK

DEFAULT_SHRINK_YEARS = 3.0


class Faulted:
    """Runs a request through the switches it meets: delays and shrinks first, then the first other one."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        met = _met(self.faults, scope)
        if not met:
            await self.app(scope, receive, send)
            return
        for fault in [fault for fault in met if fault.kind in ("delay", "shrink")]:
            fault.spend()
            if fault.kind == "delay":
                await asyncio.sleep(float(fault.value or 0))
            else:
                years = float(fault.value) if fault.value else DEFAULT_SHRINK_YEARS
                scope.setdefault("state", {})[SHRINK] = years
        # Asked again: while this request waited, another one may have used a switch up.
        others = [fault for fault in _met(self.faults, scope) if fault.kind not in ("delay", "shrink")]
        if not others:
            await self.app(scope, receive, send)
        elif (answer := misbehave.instead(others[0])) is not None:
            others[0].spend()
            await answer(scope, receive, send)
        else:
            await self._alter(others[0], scope, receive, send)

    async def _alter(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the wire answer, then change the body; a fault that finds nothing to change is not spent."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in messages)
        changed = misbehave.altered(fault, scope["path"], body)
        if changed is None:
            for message in messages:
                await send(message)
            return
        fault.spend()
        headers = dict(messages[0]["headers"])
        kind = headers.get(b"content-type", b"application/octet-stream").decode()
        await Response(changed, messages[0]["status"], media_type=kind)(scope, receive, send)


def _met(faults: Faults, scope: Scope) -> list[Fault]:
    """The switches that a request meets, by its prefix and its path and query."""
    if scope["type"] != "http":
        return []
    target = f"{scope['path']}?{scope.get('query_string', b'').decode('latin-1')}"
    return faults.meeting(scope["path"].split("/")[1], target)
