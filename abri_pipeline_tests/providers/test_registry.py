"""providers.yaml: what is in it, what may be in it, and what the registry makes of it."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers.declared_section import RegistryError
from abri_pipeline.providers.errors import BadRequest
from abri_pipeline.providers.hosts import UPSTREAMS
from abri_pipeline.providers.registry import FILE, Registry
from abri_pipeline.providers.symbols import Asked, Era, SymbolRules
from abri_pipeline.settings import Settings

KEYS = {"MASSIVE_API_KEY": "m" * 8, "ALPHAVANTAGE_API_KEY": "a" * 8, "STOOQ_API_KEY": "s" * 8}
TODAY = date(2025, 6, 20)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"ABRI_HOME": str(tmp_path)}


@pytest.fixture
def registry(home: dict[str, str]) -> Registry:
    return Registry.load(Settings({**home, **KEYS}, {}))


def names(providers: list[Any]) -> list[str]:
    return [p.name for p in providers]


def test_every_upstream_is_declared_and_no_other(registry: Registry) -> None:
    assert set(registry.providers) == set(UPSTREAMS)


def test_bars_are_listed_by_tier_and_only_where_a_key_is_set(home: dict[str, str], registry: Registry) -> None:
    assert names(registry.for_bars("equity", "1d")) == ["yahoo", "massive", "alphavantage"]
    assert names(registry.for_bars("equity", "1h")) == ["yahoo"]
    assert names(registry.for_bars("equity", "5m")) == ["yahoo", "massive"]  # Alpha Vantage's free plan has days only
    assert names(registry.for_bars("crypto", "1h")) == ["binance", "binance-vision", "yahoo"]
    keyless = Registry.load(Settings(home, {}))
    assert names(keyless.for_bars("equity", "1d")) == ["yahoo"]
    assert not keyless["massive"].usable
    assert registry["stooq"].key_set
    assert not registry["stooq"].usable


def test_datasets_without_bars_have_their_providers_too(registry: Registry) -> None:
    assert names(registry.for_dataset("macro_observations")) == ["fredgraph"]
    assert names(registry.for_dataset("onchain_metrics")) == ["coinmetrics", "blockchain"]


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("massive", [(5, "call", 60)]),
        ("alphavantage", [(25, "call", 86_400)]),
        ("fred", [(120, "call", 60), (2, "call", 1)]),
        ("sec", [(10, "call", 1), (8, "call", 1)]),
        ("binance", [(6000, "weight", 60)]),
        ("coinmetrics", [(10, "call", 6)]),
        ("stooq", []),
    ],
)
def test_limits_are_in_the_vendors_own_unit(registry: Registry, name: str, limits: list[Any]) -> None:
    assert [(one.amount, one.unit, one.seconds) for one in registry[name].limits] == limits


def test_the_free_plans_reach_is_no_further_than_two_years(registry: Registry) -> None:
    queries = registry["massive"].queries(
        "NVDA", date(2021, 1, 19), TODAY, asset_class="equity", timeframe="1d", today=TODAY
    )
    assert [(q.start, q.end) for q in queries] == [(TODAY - timedelta(days=729), TODAY)]
    old = registry["massive"].queries(
        "META", date(2021, 1, 19), date(2022, 6, 30), asset_class="equity", timeframe="1d", today=TODAY
    )
    assert old == ()


def test_c6_facebooks_history_is_asked_under_two_names_at_massive_and_one_at_yahoo(registry: Registry) -> None:
    start, end = date(2022, 6, 1), date(2022, 6, 30)
    assert registry["massive"].symbols_for("META", start, end) == (
        Asked("FB", start, date(2022, 6, 8)),
        Asked("META", date(2022, 6, 9), end),
    )
    assert registry["yahoo"].symbols_for("META", start, end) == (Asked("META", start, end),)


@pytest.mark.parametrize(
    ("symbol", "spelled"),
    [
        ("BRK.B", ("BRK-B", "BRK.B", "brk-b.us")),
        ("BRK-B", ("BRK-B", "BRK.B", "brk-b.us")),
        ("NVDA", ("NVDA", "NVDA", "nvda.us")),
        ("DX-Y.NYB", ("DX-Y.NYB", "DX-Y.NYB", "dx-y.nyb.us")),
    ],
)
def test_share_classes_are_spelled_as_each_vendor_does(
    registry: Registry, symbol: str, spelled: tuple[str, ...]
) -> None:
    found = tuple(registry[name].symbols_for(symbol, TODAY, TODAY)[0].symbol for name in ("yahoo", "massive", "stooq"))
    assert found == spelled


def test_a_pair_whose_coin_is_not_known_to_be_the_same_is_not_asked_of_yahoo(registry: Registry) -> None:
    asked = {"asset_class": "crypto", "timeframe": "1d", "today": TODAY}
    assert registry["yahoo"].queries("COMPUSDT", TODAY, TODAY, **asked) == ()
    assert registry["yahoo"].queries("BTCUSDT", TODAY, TODAY, **asked)[0].symbol == "BTC-USD"
    assert registry["binance"].queries("COMPUSDT", TODAY, TODAY, **asked)[0].symbol == "COMPUSDT"


@cache
def packaged() -> Registry:
    """Read once: every example of the property below asks it."""
    return Registry.load(Settings(KEYS, {}), FILE)


@given(
    start=st.dates(date(2021, 1, 1), TODAY),
    length=st.integers(0, 900),
    name=st.sampled_from(["yahoo", "massive", "alphavantage"]),
    timeframe=st.sampled_from(["1m", "5m", "1h", "1d"]),
    symbol=st.sampled_from(["META", "NVDA"]),
)
def test_requests_cover_what_can_be_reached_once_and_no_more(
    start: date, length: int, name: str, timeframe: str, symbol: str
) -> None:
    provider = packaged()[name]
    end = min(start + timedelta(days=length), TODAY)
    queries = provider.queries(symbol, start, end, asset_class="equity", timeframe=timeframe, today=TODAY)
    offer = provider.offer("equity", timeframe)
    days = [q.start + timedelta(days=n) for q in queries for n in range((q.end - q.start).days + 1)]
    if offer is None:
        assert days == []
        return
    reached = start if offer.reach is None else max(start, TODAY - timedelta(days=offer.reach - 1))
    assert days == [reached + timedelta(days=n) for n in range((end - reached).days + 1)]
    if offer.max_span:
        assert all((q.end - q.start).days < offer.max_span for q in queries)


def test_a_name_outside_of_its_days_is_refused() -> None:
    rules = SymbolRules("x", history={"NEW": (Era("OLD", None, date(2020, 1, 1)), Era("NEW", date(2020, 2, 1)))})
    rules.check("OLD", date(2019, 1, 1), date(2020, 1, 1))
    for name, day in (("OLD", date(2020, 1, 2)), ("NEW", date(2020, 1, 31))):
        with pytest.raises(BadRequest, match="another security"):
            rules.check(name, day, day)
    with pytest.raises(BadRequest, match="under no name"):
        rules.asked("NEW", date(2020, 1, 5), date(2020, 1, 6))


def test_a_copy_in_the_home_takes_the_files_place(tmp_path: Path) -> None:
    found = yaml.safe_load(FILE.read_text())
    found["massive"]["plan"] = "advanced"
    (tmp_path / "providers.yaml").write_text(yaml.safe_dump(found))
    mine = Registry.load(Settings({"ABRI_HOME": str(tmp_path), **KEYS}, {}))
    assert mine["massive"].limits[0].amount == 100
    assert mine["massive"].offer("equity", "1d").reach is None


def put(found: dict[str, Any], place: str, value: Any) -> None:
    *path, last = place.split(".")
    for name in path:
        found = found[int(name)] if isinstance(found, list) else found[name]
    if value is KeyError:
        del found[last]
    else:
        found[last] = value


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("massive.enabeld", True, r"massive\.enabeld: no such field"),
        ("massive.enabled", "yes", r"massive\.enabled: expected true or false, found 'yes'"),
        ("massive.enabled", KeyError, r"massive\.enabled: is missing"),
        ("massive.tier", "first", r"massive\.tier: 'first' is none of primary"),
        ("massive.plan", "gold", r"massive\.plan: 'gold' is none of advanced, free, starter"),
        ("massive.key", "MASSIVE_KEY", r"massive\.key: 'MASSIVE_KEY' is none of"),
        ("massive.key", KeyError, r"massive\.key: it is MASSIVE_API_KEY"),
        ("massive.adjustment", "none", r"massive\.adjustment: its prices are adjusted as 'split'"),
        ("massive.adjustment", "half", r"massive\.adjustment: 'half' is none of"),
        ("massive.plans.free.limits", 5, r"massive\.plans\.free\.limits: expected a list, found 5"),
        ("massive.plans.free.limits.0.amount", 0, r"limits\[0\]\.amount: 0 is no count"),
        ("massive.plans.free.limits.0.amount", True, r"limits\[0\]\.amount: expected a whole number"),
        ("massive.plans.free.limits.0.period", "week", r"limits\[0\]\.period: 'week' is none of"),
        ("massive.plans.free.limits.0.per", "day", r"limits\[0\]\.per: no such field"),
        ("massive.bars.equity.4h", {}, r"massive\.bars\.equity\.4h: no such timeframe"),
        ("massive.bars.equity.1h", {}, r"massive\.bars\.equity\.1h: not served"),
        ("massive.bars.bonds", {}, r"massive\.bars\.bonds: no such asset class"),
        ("alphavantage.bars.equity.1m.plans", ["gold"], r"1m\.plans: 'gold' is none of the plans"),
        ("yahoo.bars.equity.1m.max_span", -8, r"1m\.max_span: -8 is no count"),
        ("yahoo.tiers", {"bonds": "primary"}, r"yahoo\.tiers\.bonds: no such field"),
        ("yahoo.symbols.named", {"A": 1}, r"yahoo\.symbols\.named\.A: expected a text"),
        ("massive.symbols.separator", "_", r"symbols\.separator: '_' is none of"),
        ("massive.symbols.history.META.1.from", date(2022, 6, 8), r"history\.META\[1\]: begins before"),
        ("massive.symbols.history.META.1.from", "soon", r"META\[1\]\.from: expected a date"),
        ("sec.bars", {"equity": {"1d": {}}}, r"sec\.bars: nothing here reads bars of sec"),
        ("bloomberg", {}, r"bloomberg: no such upstream"),
        ("massive", None, r"massive: expected fields, found None"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_file_and_field(tmp_path: Path, place: str, value: Any, said: str) -> None:
    found = yaml.safe_load(FILE.read_text())
    put(found, place, value)
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(found))
    with pytest.raises(RegistryError, match=said) as caught:
        Registry.load(Settings({"ABRI_HOME": str(tmp_path)}, {}), file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"yahoo: [", "is no YAML"),
        (b"", "expected providers, found None"),
        (b"- yahoo", "expected providers"),
        (b"yahoo: {\xff}", "is not UTF-8"),
        (b"yahoo: !!python/object/apply:os.system [true]", "is no YAML"),
        (b"[" * 1500, "is no YAML"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_line(tmp_path: Path, text: bytes, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(text)
    with pytest.raises(RegistryError, match=said) as caught:
        Registry.load(Settings({"ABRI_HOME": str(tmp_path)}, {}), file)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"none\.yaml: no such file"):
        Registry.load(Settings({"ABRI_HOME": str(tmp_path)}, {}), tmp_path / "none.yaml")
