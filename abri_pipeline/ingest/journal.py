"""The audit as append-only JSON lines: `runtime/audit/backfill_{job}.jsonl` in the home, the same records as the table.

A line is one write at the end of the file, so that several processes never mix; a process killed in the middle of one
leaves a torn last line, which readers pass over and `catch_up` writes again from the table.
"""

import json
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.warehouse.reads import frame, records


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
            # A torn line of somebody killed must not swallow this one.
            if (size := os.fstat(file).st_size) and not _ends_a_line(self.path, size):
                line = b"\n" + line
            os.write(file, line)
        finally:
            os.close(file)

    def read(self) -> Iterator[dict[str, object]]:
        """The complete lines."""
        if not self.path.exists():
            return
        for line in self.path.read_bytes().split(b"\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue  # a torn line: its record stands in the table, and again further down
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


def _ends_a_line(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _known(value: object) -> object:
    return None if value is None or value != value or str(value) == "NaT" else value


def _plain(value: object) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else str(value)
