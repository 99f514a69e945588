"""Fault switches: what an upstream does wrong, how often, and for which requests.

Belongs here: a fault's form, its text on the command line, which fault meets which request.
Does not belong here: what a fault does to a response (`misbehave`).

`status` (value: code): that status; 429 in the upstream's own words; `retry_after` becomes the header.
`delay` (seconds): the true answer, late.
`truncate` (bytes kept, default half): the true answer, cut short.
`html`: 200 with a proof-of-work page. `empty`: 200 without a byte.
`corrupt` (ISO date, default the newest bar): that bar of a Yahoo chart gets low > high and a negative volume;
a chart without that bar passes untouched. Any other body gets an invalid UTF-8 byte in its middle.
`shrink` (years, default 3): FRED serves only the last years of the ICE series, as it does since 2026-04.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from abri_pipeline.sandbox.wires import PREFIXES

KINDS = ("status", "delay", "truncate", "html", "empty", "corrupt", "shrink")
_FORM = "yahoo:status=503:times=2:match=NVDA"


class FaultError(ValueError):
    """A fault switch cannot be read; the message says what is wrong and shows the form."""

    def __init__(self, complaint: str) -> None:
        super().__init__(f"{complaint}; write it as {_FORM}, with a kind of {', '.join(KINDS)}")


@dataclass
class Fault:
    """One switch. `times` counts down to 0 as it is applied; None is "until it is taken back"."""

    upstream: str
    kind: str
    value: str | None = None
    times: int | None = None
    match: str | None = None
    retry_after: str | None = None

    def __post_init__(self) -> None:
        if self.upstream not in PREFIXES:
            raise FaultError(f"{self.upstream!r} names no upstream; served are {', '.join(PREFIXES)}")
        if self.kind not in KINDS:
            raise FaultError(f"unknown kind {self.kind!r}")
        if self.times is not None and self.times < 1:
            raise FaultError("times is a count of 1 or more")
        _check_value(self.kind, self.value)

    @classmethod
    def of(cls, cells: Mapping[str, Any]) -> "Fault":
        """A fault from a JSON object.

        Raises:
            FaultError: a key is unknown or missing, or a value does not fit the kind.
        """
        if unknown := set(cells) - set(cls.__dataclass_fields__):
            raise FaultError(f"unknown key {sorted(unknown)[0]!r}")
        if not isinstance(cells.get("upstream"), str) or not isinstance(cells.get("kind"), str):
            raise FaultError("upstream and kind are needed")
        text = {name: str(value) for name, value in cells.items() if value is not None and name != "times"}
        return cls(**text, times=_count(cells.get("times")))

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """A fault from the command line: `upstream:kind[=value][:times=n][:match=text][:retry_after=s]`.

        Raises:
            FaultError: the text does not read so.
        """
        upstream, _, rest = text.partition(":")
        head, *options = rest.split(":")
        kind, _, value = head.partition("=")
        cells: dict[str, Any] = {"upstream": upstream, "kind": kind, "value": value or None}
        for option in options:
            name, equals, said = option.partition("=")
            if not equals or name not in ("times", "match", "retry_after"):
                raise FaultError(f"cannot read {option!r}")
            cells[name] = said
        return cls.of(cells)

    def meets(self, upstream: str, target: str) -> bool:
        """Whether this fault is meant for a request (`target` is path and query)."""
        alive = self.times is None or self.times > 0
        return alive and self.upstream == upstream and (not self.match or self.match in target)

    def spend(self) -> None:
        """Count one application."""
        if self.times is not None:
            self.times -= 1


@dataclass
class Faults:
    """The switches that are on, in the order they were set; the first that meets a request is applied."""

    switches: list[Fault] = field(default_factory=list)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Faults":
        """The switches of a command line."""
        return cls([Fault.parse(text) for text in texts])

    def meeting(self, upstream: str, target: str) -> list[Fault]:
        """The switches that a request meets, oldest first."""
        return [fault for fault in self.switches if fault.meets(upstream, target)]

    def listed(self) -> list[dict[str, Any]]:
        """The switches still on, for JSON."""
        return [asdict(fault) for fault in self.switches if fault.times != 0]


def _count(given: Any) -> int | None:
    if given is None:
        return None
    try:
        return int(given)
    except (TypeError, ValueError) as error:
        raise FaultError(f"times={given!r} is no count") from error


def _check_value(kind: str, value: str | None) -> None:
    """That a value fits its kind, so that a mistyped switch fails when it is set and not in mid-request."""
    if kind in ("status", "delay") and value is None:
        raise FaultError(f"{kind} needs a value")
    if value is None:
        return
    try:
        if kind == "status" and not 200 <= int(value) <= 599:
            raise FaultError(f"{value} is no HTTP status")
        if kind in ("delay", "shrink") and not 0 <= float(value) <= 3600:
            raise FaultError(f"{kind}={value} is out of range")
        if kind == "truncate" and int(value) < 0:
            raise FaultError("truncate keeps 0 bytes or more")
        if kind == "corrupt":
            date.fromisoformat(value)
    except FaultError:
        raise
    except ValueError as error:
        raise FaultError(f"{kind}={value!r} cannot be read") from error
