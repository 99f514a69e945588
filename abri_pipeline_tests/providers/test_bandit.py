"""The choice of a provider: little regret, nobody forgotten, nobody hammered."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers.bandit import BREAK_AFTER, OPEN_MOST, Arm, choose, learn, reward

START = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
PULL = timedelta(seconds=30)


def play(rates, pulls, seed, every=PULL):
    """Pull as many times; each provider succeeds with its rate (a number, or a function of the pull)."""
    world = np.random.default_rng(seed)
    arms = {name: Arm(name) for name in rates}
    chosen, won = [], []
    for number in range(pulls):
        now = START + every * number
        decision = choose(list(arms.values()), now, seed=seed * 100_000 + number)
        if not decision.order:
            chosen.append(None)
            won.append(0.0)
            continue
        name = decision.order[0]
        rate = rates[name](number) if callable(rates[name]) else rates[name]
        worth = reward(bool(world.random() < rate), 200.0, 1.0)
        arms[name] = learn(arms[name], worth, now)
        chosen.append(name)
        won.append(worth)
    return chosen, won


@pytest.mark.parametrize(
    "rates", [{"a": 0.95, "b": 0.6, "c": 0.4}, {"a": 0.9, "b": 0.8}, {"a": 0.5, "b": 0.99, "c": 0.1}]
)
def test_regret_is_at_most_a_tenth_of_the_best_fixed_provider_after_500_pulls(rates):
    best = max(rates.values()) * reward(True, 200.0, 1.0) * 500
    regrets = [1 - sum(play(rates, 500, seed)[1]) / best for seed in range(10)]
    assert np.mean(regrets) <= 0.10
    assert max(regrets) <= 0.15


def test_a_recovered_provider_is_found_again_within_a_day():
    hourly = timedelta(minutes=10)
    out = {"a": lambda n: 0.0 if 144 <= n < 288 else 0.98, "b": 0.7}
    chosen, _ = play(out, 144 * 4, seed=3, every=hourly)
    back = chosen[288 : 288 + 144]
    assert "a" in back
    assert chosen[288 + 144 :].count("a") > 0.6 * len(chosen[288 + 144 :])


@given(st.integers(0, 2000))
def test_each_provider_is_probed_at_least_daily(seed):
    chosen, _ = play({"a": 0.99, "b": 0.3, "c": 0.2}, 3 * 24, seed, every=timedelta(hours=1))
    for name in "abc":
        asked = [n for n, who in enumerate(chosen) if who == name]
        gaps = np.diff([0, *asked, len(chosen)])
        assert gaps.max() <= 24


def test_the_same_seed_decides_alike_and_another_may_not():
    arms = [Arm("a", 3.0, 3.0, START, START), Arm("b", 3.0, 3.0, START, START)]
    assert choose(arms, START, 7) == choose(list(reversed(arms)), START, 7)
    assert len({choose(arms, START, seed).order for seed in range(20)}) == 2


def test_failures_in_a_row_open_the_circuit_for_longer_each_time_and_one_success_closes_it():
    arm, pauses = Arm("a"), []
    for _ in range(BREAK_AFTER + 12):
        arm = learn(arm, 0.0, START)
        pauses.append(arm.open_until)
    assert pauses[: BREAK_AFTER - 1] == [None] * (BREAK_AFTER - 1)
    assert pauses[BREAK_AFTER - 1] < pauses[BREAK_AFTER] < pauses[-1] == START + OPEN_MOST
    assert choose([arm, Arm("b")], START, 1).order == ("b",)
    nobody = choose([arm], START, 1)
    assert nobody.order == () and "every circuit is open; the first closes at 08:00:00 UTC" in nobody.reason
    assert learn(arm, 0.9, START + OPEN_MOST).open_until is None


def test_every_decision_says_why():
    fresh = choose([Arm("a"), Arm("b", asked_at=START)], START, 1)
    assert fresh.order[0] == "a" and "daily probe" in fresh.reason
    known = choose([Arm("a", 5, 1, START, START), Arm("b", 1, 5, START, START)], START, 1)
    assert "drew" in known.reason and "expected" in known.reason


@pytest.mark.parametrize("bad", [(True, float("nan"), 1.0), (True, 10.0, 1.5)])
def test_a_reward_needs_numbers(bad):
    with pytest.raises(ValueError, match="cannot be rewarded"):
        reward(*bad)
