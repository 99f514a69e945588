"""The same questions on hosts in four time zones."""

import time
from collections.abc import Iterator

import pytest

from abri_pipeline.calendars import sessions


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Auckland"])
def host_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The process runs as on a host in this zone, the calendar built anew there."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    sessions._build.cache_clear()
    yield request.param
    monkeypatch.undo()
    time.tzset()
    sessions._build.cache_clear()
