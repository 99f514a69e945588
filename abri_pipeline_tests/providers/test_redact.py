"""Keys leave addresses and texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.providers import redact
from abri_pipeline.providers.errors import BadRequest, Malformed, RateLimited, Transient, UpstreamError

CANARY = "s3cr3t-c4n4ry-value"


@pytest.mark.parametrize(
    "name", ["api_key", "apikey", "apiKey", "key", "token", "access_token", "crumb", "password", "API-KEY"]
)
def test_an_address_loses_its_keys_and_keeps_the_rest(name) -> None:
    shown = redact.url(f"https://me:{CANARY}@host.example:8/a/b?series_id=DGS10&{name}={CANARY}&end=1#x")
    assert shown == "https://host.example:8/a/b?series_id=DGS10&end=1"


@pytest.mark.parametrize(
    "words",
    [
        f"GET https://h.example/x?api_key={CANARY}&b=1 failed",
        f'{{"apikey": "{CANARY}"}}',
        f"postgresql://user:{CANARY}@host/db",
        f"Authorization: Bearer {CANARY}",
        f"FRED_API_KEY={CANARY}",
        f"SMTP_PASSWORD: {CANARY}",
    ],
)
def test_a_text_loses_its_keys(words) -> None:
    assert CANARY not in redact.text(words)
    assert redact.MASK in redact.text(words)


def test_a_remembered_secret_is_masked_where_no_name_stands_before_it() -> None:
    redact.remember(["pa ss/word+1"])
    assert redact.text("it said pa ss/word+1, and pa%20ss%2Fword%2B1") == "it said ***, and ***"


@given(st.text(max_size=80))
def test_any_text_and_any_address_is_taken(words) -> None:
    redact.text(words)
    redact.url(words)
    redact.url("http://h.example/?" + words)


@given(st.text("abc/:@?&=;#% ", max_size=30), st.text("abc/:@?&=;#% ", max_size=30))
def test_a_key_parameter_never_survives(before, after) -> None:
    assert CANARY not in redact.url(f"https://h.example/{before}?{after}&api_key={CANARY}&x=1")


def test_errors_are_redacted_and_name_their_branch() -> None:
    error = RateLimited(
        "fred", f"no api_key={CANARY}", url=f"http://h.example/?api_key={CANARY}&a=1", detail=f"key: {CANARY}"
    )
    assert CANARY not in repr(error) + str(error) + repr(vars(error))
    assert str(error) == "fred: no api_key=*** [http://h.example/?a=1]"
    assert isinstance(error, Transient)
    again = error.told_as(BadRequest, "the mend")
    assert (again.kind, again.url, again.detail) == ("permanent", error.url, error.detail)


def test_every_branch_has_its_kind() -> None:
    def leaves(branch: type[UpstreamError]) -> set[type[UpstreamError]]:
        below = branch.__subclasses__()
        return {branch} if not below else set().union(*map(leaves, below))

    assert {leaf.__name__: leaf.kind for leaf in leaves(UpstreamError)} == {
        **dict.fromkeys(["RateLimited", "Unreachable", "ServerFailed", "TimedOut", "Truncated"], "transient"),
        "Absent": "absent",
        "Refused": "refused",
        "BadRequest": "permanent",
        Malformed.__name__: "malformed",
    }


def test_an_answer_loses_the_keys_that_were_sent_and_no_others() -> None:
    redact.remember([CANARY, "word-of-the-data"])
    answer = f'{{"word-of-the-data": 1, "note": "your key {CANARY}"}}'.encode()
    assert redact.body(answer, ["NVDA", f"Bearer {CANARY}"]) == b'{"word-of-the-data": 1, "note": "your key ***"}'
    assert redact.body(answer, ["NVDA"]) is answer
