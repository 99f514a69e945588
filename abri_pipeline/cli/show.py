"""Results as tables for a person. Only layout: every figure comes as it is."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from abri_pipeline.cli.outcome import OpenGap, Outcome

SYNTHETIC = "SYNTHETIC market: invented by the sandbox, not a quote of anything"
_COLOURS = {"done": "green", "partial": "yellow", "failed": "red", "interrupted": "red", "running": "cyan"}


def labelled(market: str | None) -> list["RenderableType"]:
    """The label that goes before anything a synthetic database shows."""
    return [Text(SYNTHETIC, style="bold yellow")] if market == "synthetic" else []


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> Table:
    """A plain table; columns named in `right` are figures."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    return drawn


def outcome_tables(outcome: "Outcome") -> list["RenderableType"]:
    """What a run did, a line a dataset; then gaps and checks."""
    figures = ("requested", "done", "failed", "new rows", "changed rows", "calls")
    rows = [
        (d.dataset, d.status, d.requested, d.done, len(d.failed), f"{d.inserted:,}", f"{d.changed:,}", d.calls)
        for d in outcome.datasets
    ]
    headline = Text(f"run {outcome.run_id}: {outcome.status}", style=_COLOURS.get(outcome.status, ""))
    shown: list[RenderableType] = [headline, table("Loaded", ("dataset", "ended", *figures), rows, figures)]
    shown += [Text(f"failed in {d.dataset}: {', '.join(d.failed)}", style="red") for d in outcome.datasets if d.failed]
    if outcome.gaps:
        shown.append(gap_table(outcome.gaps))
    if outcome.checks.get("passed") or outcome.checks.get("failed"):
        shown += check_lines(outcome.checks)
    return shown


def gap_table(gaps: Sequence["OpenGap"]) -> Table:
    """Open gaps, the unexplained first; units that share window and reason share a line."""
    shared: dict[tuple[Any, ...], list[str]] = {}
    for g in gaps:
        state = f"{'explained' if g.explained else 'OPEN'}: {g.cause}"
        shared.setdefault((g.start, g.end, g.sessions, state, g.reason), []).append(g.unit)
    rows = [(", ".join(units), *rest) for rest, units in shared.items()]
    return table("Gaps", ("what", "from", "to", "sessions each", "state", "reason"), rows, ("sessions each",))


def check_lines(checks: dict[str, Any]) -> list["RenderableType"]:
    """Counts of the asset checks and the names of those that did not pass."""
    failed = checks["failed"]
    said = Text(f"Checks: {checks['passed']} passed, {len(failed)} failed", style="red" if failed else "green")
    if not failed:
        return [said]
    rows = [(c["severity"].lower(), c["asset"], c["check"], c["said"]) for c in failed]
    return [said, table("Failed checks", ("severity", "asset", "check", "said"), rows)]


def score(value: float | None) -> str:
    """A score with one decimal; a dash where it is missing, never 0."""
    return "-" if value is None else f"{value:.1f}"
