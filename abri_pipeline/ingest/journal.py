"""The audit as append-only JSON lines: `runtime/audit/backfill_{job}.jsonl` in the home, the same records as the table.

A line is one write at the end of the file, so that several processes never mix; a process killed in the middle of one
leaves a torn last line, which readers pass over and `catch_up` writes again from the table.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.warehouse.reads import frame, records

# What a line and a row must say alike; instants and days are spelled by whoever wrote the line.
_SAID = ("job_id", "symbol", "dataset", "provider", "attempt", "outcome", "rows", "unchanged", "raw_hash", "error")


class Journal:
    """One job's lines."""

    def __init__(self, home: Path, job_id: str) -> None:
        self.path = home / "runtime" / "audit" / f"backfill_{job_id}.jsonl"
        self._job_id = job_id

    def write(self, record: dict[str, object]) -> None:
        """Append one record as one line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(record, sort_keys=True, default=_plain).encode() + b"\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # gone with its holder: nobody may tear a line between look and write
            # A torn line of somebody killed must not swallow this one.
            if (size := os.fstat(file).st_size) and not _ends_a_line(self.path, size):
                line = b"\n" + line
            while line:  # a disk that fills up takes a part, and refuses the rest
                line = line[os.write(file, line) :]
        finally:
            os.close(file)

    def read(self) -> Iterator[dict[str, object]]:
        """The complete lines, each record once: one that was caught up twice says the same twice."""
        if not self.path.exists():
            return
        seen: set[object] = set()
        for line in self.path.read_bytes().split(b"\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue  # a torn line: its record stands in the table, and again further down
            if not isinstance(record, dict) or record.get("audit_id") in seen:
                continue
            seen.add(record.get("audit_id"))
            yield record

    def catch_up(self, engine: Engine) -> int:
        """Append the job's records that only the table has, and return how many there were."""
        with engine.connect() as connection:
            stored = frame(connection, operations.AUDIT, where=[("job_id", "=", self._job_id)])
        if stored.empty:
            return 0
        written = {record.get("audit_id") for record in self.read()}
        missing = [row for row in records(stored) if row.audit_id not in written]
        for row in missing:
            self.write({name: _known(value) for name, value in row._asdict().items()})
        return len(missing)


def disagreements(engine: Engine, home: Path) -> list[str]:
    """Where the journals and the audit table differ: one line a record, none where they agree.

    A job that still runs, or that died, may lack lines: `catch_up` writes them at the end of a job.
    """
    with engine.connect() as connection:
        stored = frame(connection, operations.AUDIT)
        open_runs = frame(connection, operations.RUNS, where=[("status", "in", ["running", "interrupted"])])
    unfinished = {run_id.rpartition(":")[0] for run_id in open_runs["run_id"]}
    found = []
    for job_id, rows in stored.groupby("job_id"):
        journal = Journal(home, str(job_id))
        table = {row.audit_id: {name: _plain(_known(getattr(row, name))) for name in _SAID} for row in records(rows)}
        lines = {str(record["audit_id"]): {name: record.get(name) for name in _SAID} for record in journal.read()}
        apart = [a for a in lines if lines[a] != table.get(a)]
        lacking = [] if job_id in unfinished else sorted(table.keys() - lines.keys())
        found += [f"{journal.path.name}: {a} is not what the audit says" for a in apart]
        found += [f"{journal.path.name}: {a} is in the audit only" for a in lacking]
    return found


def _ends_a_line(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _known(value: object) -> object:
    return None if value is None or value != value or str(value) == "NaT" else value


def _plain(value: object) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, float)):
        return value
    return value.item() if hasattr(value, "item") else str(value)
