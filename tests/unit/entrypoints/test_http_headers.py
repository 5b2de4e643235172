import dataclasses
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.attempts import Attempt
from langroute.domain.ids import RequestId
from langroute.domain.limits import Limits, Remaining
from langroute.domain.money import Money
from langroute.domain.receipt import Receipt
from langroute.entrypoints.http.headers import duration, receipt_headers

MS = 10**6
S = 10**9
NOTHING_REMAINS = Remaining(requests=None, tokens=None, reset_requests_ns=0, reset_tokens_ns=0)
BARE = Receipt(request_id=RequestId(UUID(int=10)), limits=Limits(), remaining=NOTHING_REMAINS)
REQUEST_ID = {"x-request-id": "req_0000000000000000000000000000000a"}


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0ms"),
        (1, "1ms"),
        (12 * MS, "12ms"),
        (12 * MS + 1, "13ms"),
        (999 * MS, "999ms"),
        (999 * MS + 1, "1s"),
        (S, "1s"),
        (S + 1, "2s"),
        (59 * S, "59s"),
        (59 * S + 1, "1m0s"),
        (60 * S, "1m0s"),
        (61 * S, "1m1s"),
        (6 * 60 * S, "6m0s"),
        (90 * 60 * S, "90m0s"),
    ],
)
def test_a_duration_reads_as_openai_writes_it(ns: int, text: str) -> None:
    assert duration(ns) == text


@given(st.integers(0, 10_000 * S))
def test_a_duration_is_never_shorter_than_it_is(ns: int) -> None:
    text = duration(ns)
    if text.endswith("ms"):
        told_ns, step_ns = int(text.removesuffix("ms")) * MS, MS
    else:
        minutes, _, seconds = text.removesuffix("s").rpartition("m")
        told_ns, step_ns = (int(minutes or 0) * 60 + int(seconds)) * S, S
    assert ns <= told_ns < ns + step_ns + MS


def test_a_bare_receipt_names_the_request_only() -> None:
    assert receipt_headers(BARE) == REQUEST_ID


def test_limits_are_told_as_openai_tells_them() -> None:
    receipt = dataclasses.replace(
        BARE,
        limits=Limits(requests_per_minute=60, tokens_per_minute=1_000),
        remaining=Remaining(requests=59, tokens=0, reset_requests_ns=S, reset_tokens_ns=360 * S),
    )
    assert receipt_headers(receipt) == {
        **REQUEST_ID,
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
    }


def test_a_limit_that_there_is_not_is_not_told() -> None:
    receipt = dataclasses.replace(
        BARE,
        limits=Limits(tokens_per_minute=0),
        remaining=dataclasses.replace(NOTHING_REMAINS, tokens=0),
    )
    assert sorted(receipt_headers(receipt)) == [
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
        "x-request-id",
    ]


def test_who_answered_is_told_along_with_every_attempt() -> None:
    failed = Attempt(provider="openai", model="gpt", result="429")
    answered = Attempt(provider="mistral", model="large", result="ok")
    receipt = dataclasses.replace(BARE, attempts=(failed, answered))
    assert receipt_headers(receipt) == {
        **REQUEST_ID,
        "x-langroute-attempts": "openai/gpt=429, mistral/large=ok",
        "x-langroute-provider": "mistral",
        "x-langroute-model": "large",
    }


def test_nobody_is_named_as_the_one_who_answered_where_nobody_did() -> None:
    failed = Attempt(provider="openai", model="gpt", result="429")
    headers = receipt_headers(dataclasses.replace(BARE, attempts=(failed,)))
    assert "x-langroute-provider" not in headers


def test_what_was_dropped_the_cap_and_the_cost_are_told() -> None:
    receipt = dataclasses.replace(
        BARE, dropped=("seed", "logit_bias"), output_cap=50, cost=Money(1_500_000)
    )
    assert receipt_headers(receipt) == {
        **REQUEST_ID,
        "x-langroute-dropped": "seed, logit_bias",
        "x-langroute-output-cap": "50",
        "x-langroute-cost": "0.0000015",
    }


def test_a_cost_of_nothing_is_a_cost() -> None:
    assert receipt_headers(dataclasses.replace(BARE, cost=Money(0)))["x-langroute-cost"] == "0.00"
