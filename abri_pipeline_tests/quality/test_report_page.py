"""How reports are written: values, escaping, what is left out, the label of invented markets."""

from datetime import date
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.quality.report_html import html
from abri_pipeline.quality.report_markdown import markdown, section_table
from abri_pipeline.quality.report_page import SYNTHETIC, Page, Section, written

ATTACK = '<script>alert(1)</script>|[x](javascript:alert(2))`*"\n=cmd()'


@pytest.mark.parametrize(
    ("value", "share", "said"),
    [
        (1256, False, "1,256"),
        (np.int64(-3), False, "-3"),
        (0.99999, True, "99.99%"),  # never rounded up to a whole
        (1.0, True, "100.00%"),
        (0.0, True, "0.00%"),
        (0.29, True, "29.00%"),
        (0.5, False, "0.5"),
        (float("nan"), True, "-"),
        (None, False, "-"),
        (pd.NaT, False, "-"),
        (True, False, "yes"),
        (np.False_, False, "no"),
        (date(2026, 1, 16), False, "2026-01-16"),
        (pd.Timestamp("2026-01-16"), False, "2026-01-16"),
        (pd.Timestamp("2026-01-20T02:00Z"), False, "2026-01-20 02:00 UTC"),
        ("two\n lines", False, "two lines"),
        ("=1+1", False, "'=1+1"),
        ("-2", False, "'-2"),
        ("@sum", False, "'@sum"),
        ("", False, ""),
    ],
)
def test_a_value_as_a_reader_sees_it(value: Any, share: bool, said: str):
    assert written(value, share) == said


def page(text: str, rows: int = 1, synthetic: bool = False) -> Page:
    table = pd.DataFrame({"what": [text] * rows, "count": range(rows)})
    return Page(
        f"title {text}", (f"line {text}",), synthetic, (Section("s", f"section {text}", table, (text,), most=5),)
    )


class Seen(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


OURS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "div", "table", "thead", "tbody",
        "tr", "th", "td"}  # fmt: skip


@given(st.text(max_size=60) | st.just(ATTACK))
def test_s9_html_holds_our_tags_only_and_loads_nothing(text: str):
    seen = Seen(html(page(text)))
    assert seen.tags <= OURS
    assert not {name for name in seen.attributes if name in ("src", "href", "action") or name.startswith("on")}


def test_s9_what_was_sent_is_text_in_html():
    found = html(page(ATTACK))
    assert "<script>" not in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found
    assert "default-src &#x27;none&#x27;" in found
    assert "prefers-color-scheme: dark" in found


@given(st.text(max_size=60) | st.just(ATTACK))
def test_no_text_breaks_a_markdown_table_or_becomes_markup(text: str):
    lines = markdown(page(text, rows=2)).splitlines()
    table = [line for line in lines if line.startswith("| ")]
    assert len(table) == 4
    assert all(line.count("|") == 3 for line in table)
    assert not any(sign in "".join(table[2:]) for sign in "<>[`*")


def test_rows_beyond_the_most_are_counted_in_text_and_kept_in_json():
    found = page("x", rows=9)
    [section] = found.sections
    assert (len(section.cells()), section.left_out) == (5, 4)
    assert section_table(section).endswith("and 4 more")
    assert "<p>and 4 more</p>" in html(found)
    assert len(found.document()["s"]["rows"]) == 9


def test_an_invented_market_is_labelled_and_a_real_one_is_not():
    for write in (html, markdown):
        assert SYNTHETIC in write(page("x", synthetic=True))
        assert SYNTHETIC not in write(page("x"))
    assert page("x", synthetic=True).document()["synthetic"] is True


def test_an_empty_table_says_none():
    empty = Page("t", (), False, (Section("s", "nothing", pd.DataFrame(columns=["a"])),))
    assert "none" in markdown(empty)
    assert "<p>none</p>" in html(empty)
    assert empty.document()["s"]["rows"] == []


def test_json_knows_no_nan():
    day, at = pd.Timestamp("2026-01-16"), pd.Timestamp("2026-01-16T01Z")
    cells = {"share": np.nan, "day": day, "at": at, "n": np.int64(3), "gone": pd.NaT, "plain": date(2026, 1, 2)}
    table = pd.DataFrame([cells])
    [row] = Page("t", (), False, (Section("s", "t", table),)).document()["s"]["rows"]
    assert row == {"share": None, "day": "2026-01-16", "at": "2026-01-16T01:00:00+00:00", "n": 3, "gone": None,
                   "plain": "2026-01-02"}  # fmt: skip
