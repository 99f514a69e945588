"""The packaged tables beside the recorded ones they were curated from."""

import csv
import io
import re

import pytest

from abri_pipeline.reference import packaged

pytestmark = pytest.mark.realdata
KEY = ("announced_date", "company", "amount_usd_millions")
# How the recorded notes say that a row is no money of its own.
WARNING = re.compile(
    r"not cash|\bcommitment\b|not a deal amount|exclude from sums|do not sum|part of the \$122B|inside the \$3\.4B"
    r"|voted down|\bguarantee\b|not closed|drawn amount unknown",
    re.IGNORECASE,
)
# Warnings that speak of another row: a guarantee beside a lease, a commitment that is not this amount.
NOT_THIS_ROW = {("2026-02-12", "Anthropic", "30000")}


def ours(name):
    return list(csv.DictReader(io.StringIO(packaged(name).decode())))


@pytest.fixture
def recorded_deals(shared):
    with (shared / "data" / "deals" / "deals.csv").open(newline="") as f:
        return {tuple(r[k] for k in KEY): r for r in csv.DictReader(f)}


def test_every_ruling_matches_one_recorded_deal(recorded_deals):
    assert [r for r in ours("deal_rulings") if tuple(r[k] for k in KEY) not in recorded_deals] == []


def test_every_recorded_warning_has_its_ruling(recorded_deals):
    ruled = {tuple(r[k] for k in KEY) for r in ours("deal_rulings")}
    warned = {k for k, r in recorded_deals.items() if WARNING.search(r["notes"]) and k[2]} - NOT_THIS_ROW
    assert len(warned) >= 15, "the pattern must still find the warnings"
    assert warned - ruled == set()


def test_every_capacity_contract_among_the_others_has_its_ruling(recorded_deals):
    ruled = {tuple(r[k] for k in KEY) for r in ours("deal_rulings")}
    capacity = {
        k
        for k, r in recorded_deals.items()
        if r["structure_type"] == "other" and k[2] and re.search(r"capacity|AWS|OpenAI \(", r["counterparty"])
    }
    assert len(capacity) >= 8
    assert capacity - ruled == set()


def test_packaged_deals_are_sourced_recorded_deals(recorded_deals):
    open_amount = {("2023-04-20", "CoreWeave")}  # the page proves one investor's part, not the round
    for row in ours("deals"):
        key = tuple(row[k] for k in KEY)
        if key[:2] in open_amount:
            assert row["amount_usd_millions"] == ""
            continue
        recorded = recorded_deals[key]
        assert recorded["evidence"] == "source"
        for column in ("structure_type", "is_circular", "source_url"):
            assert row[column] == recorded[column], (key, column)


def test_packaged_weights_are_the_recorded_ones(shared):
    with (shared / "data" / "weights" / "sp500_weights_quarterly.csv").open(newline="") as f:
        recorded = {r["quarter"]: r for r in csv.DictReader(f)}
    for row in ours("weights"):
        for column in set(row) - {"source"}:
            assert row[column] == recorded[row["quarter"]][column], (row["quarter"], column)


def test_packaged_segments_agree_with_the_recorded_ones_as_far_as_their_page_rounds(shared):
    with (shared / "data" / "sec" / "segment_revenue.csv").open(newline="") as f:
        recorded = {(r["ticker"], r["fiscal_period"], r["segment"]): r for r in csv.DictReader(f)}
    for row in ours("segment_revenue"):
        other = recorded[row["ticker"], row["fiscal_period"], row["segment"]]
        assert row["period_end"] == other["period_end"]
        assert float(row["revenue_usd_millions"]) == pytest.approx(float(other["revenue_usd_millions"]), rel=0.01)
