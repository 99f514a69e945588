"""The providers' records, shared by the threads of a load and kept in the database between loads."""

from dataclasses import asdict
from datetime import datetime
from threading import Lock

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.providers.bandit import Arm, Decision, choose, learn
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.patience import patiently
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.upsert import upsert


class Arms:
    """What is known of each provider for each dataset. Threads share one; processes meet in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._known: dict[tuple[str, str], Arm] = {}
        with engine.connect() as connection:
            for row in records(frame(connection, operations.ARMS)):
                self._known[row.provider, row.dataset] = Arm(
                    row.provider,
                    row.alpha,
                    row.beta,
                    _instant(row.learnt_at),
                    _instant(row.asked_at),
                    int(row.failures),
                    _instant(row.open_until),
                )

    def choose(self, providers: list[str], dataset: str, now: datetime, seed: int) -> Decision:
        """Whom to ask, in which order."""
        with self._lock:
            arms = [self._known.get((name, dataset), Arm(name)) for name in providers]
        return choose(arms, now, seed)

    def learn(self, provider: str, dataset: str, worth: float, now: datetime) -> None:
        """Remember one answer, here and in the database."""
        with self._lock:
            arm = learn(self._known.get((provider, dataset), Arm(provider)), worth, now)
            self._known[provider, dataset] = arm

    def save(self) -> None:
        """Write down what was learnt."""
        with self._lock:
            rows = [{"dataset": dataset, **asdict(arm)} for (_, dataset), arm in self._known.items()]
        if rows:
            patiently(lambda: self._write(rows))

    def _write(self, rows: list[dict[str, object]]) -> None:
        with begin(self._engine) as connection:
            upsert(connection, operations.ARMS, pd.DataFrame(rows))


def _instant(value: pd.Timestamp) -> datetime | None:
    return None if pd.isna(value) else value.to_pydatetime()
