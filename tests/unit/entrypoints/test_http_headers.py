import dataclasses
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.attempts import Attempt
from langroute.domain.ids import RequestId
from langroute.domain.limits import Limit, Measure, Refusal, Sliding, Standing
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, team_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.receipt import Receipt
from langroute.entrypoints.http.headers import receipt_headers
from langroute.entrypoints.http.rate_limits import duration

MS = 10**6
S = 10**9
KEY = key_scope(UUID(int=1))
REQUESTS = Limit(scope=KEY, measure=Measure.REQUESTS, amount=60)
TOKENS = Limit(scope=KEY, measure=Measure.TOKENS, amount=1_000)
BARE = Receipt(request_id=RequestId(UUID(int=10)))
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


def told(*standings: Standing) -> dict[str, str]:
    return receipt_headers(BARE._replace(standings=standings))


def test_limits_are_told_as_openai_tells_them() -> None:
    headers = told(
        Standing(limit=REQUESTS, used=1, reset_ns=S),
        Standing(limit=TOKENS, used=1_200, reset_ns=360 * S),
    )
    assert {name: text for name, text in headers.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
    }


def test_of_several_limits_openais_headers_tell_the_one_that_has_least_left() -> None:
    ten = Limit(scope=KEY, measure=Measure.REQUESTS, amount=10, window=Sliding(seconds=1))
    headers = told(
        Standing(limit=REQUESTS, used=59, reset_ns=S), Standing(limit=ten, used=1, reset_ns=S)
    )
    assert headers["x-ratelimit-limit-requests"] == "60"
    assert headers["x-ratelimit-remaining-requests"] == "1"


def test_the_ietfs_headers_tell_them_all() -> None:
    team = team_scope(UUID(int=2))
    month = Period(every=Every.MONTH)
    budget = Limit(scope=team, measure=Measure.MONEY, amount=10**12, window=month)
    parallel = Limit(scope=team, measure=Measure.PARALLEL, amount=4, window=FOR_GOOD)
    headers = told(
        Standing(limit=REQUESTS, used=1, reset_ns=S + 1),
        Standing(limit=budget, used=10**11, reset_ns=3_600 * S),
        Standing(limit=parallel, used=1, reset_ns=None),
    )
    names = [
        f"{limit.scope.kind}-{limit.measure}-{limit.id.hex[:6]}"
        for limit in (REQUESTS, budget, parallel)
    ]
    assert headers["ratelimit-policy"] == (
        f'"{names[0]}";q=60;w=60, "{names[1]}";q=1000000;qu="micro-usd", '
        f'"{names[2]}";q=4;qu="concurrent-requests"'
    )
    assert headers["ratelimit"] == (
        f'"{names[0]}";r=59;t=2, "{names[1]}";r=900000;t=3600, "{names[2]}";r=3'
    )


def test_the_limit_that_refused_is_named_and_its_time_is_when_to_come_back() -> None:
    refusal = Refusal(limit=TOKENS, used=900, asked=200, retry_after_ns=2 * S + 1)
    standings = (
        Standing(limit=REQUESTS, used=1, reset_ns=60 * S),
        Standing(limit=TOKENS, used=900, reset_ns=60 * S),
    )
    headers = receipt_headers(BARE._replace(standings=standings, refusal=refusal))
    assert headers["x-langroute-limit"] == f"key-tokens-{TOKENS.id.hex[:6]}"
    assert headers["ratelimit"].endswith(f'"{headers["x-langroute-limit"]}";r=100;t=3')
    assert headers["x-ratelimit-reset-tokens"] == "1m0s"


_ITEM = re.compile(r'"[a-z-]+-[0-9a-f]{6}"(;[a-z]+=([0-9]{1,15}|"[a-z-]+"))+')


@given(st.lists(st.tuples(st.integers(0, 10**30), st.integers(0, 10**30)), min_size=1, max_size=80))
def test_whatever_the_limits_are_their_headers_are_structured_fields_and_not_too_long(
    amounts: list[tuple[int, int]],
) -> None:
    headers = told(
        *(
            Standing(
                limit=Limit(
                    scope=KEY,
                    measure=list(Measure)[number % 3],
                    amount=amount,
                    window=Sliding(seconds=number + 1),
                ),
                used=used,
                reset_ns=used,
            )
            for number, (amount, used) in enumerate(amounts)
        )
    )
    for name in ("ratelimit", "ratelimit-policy"):
        items = headers[name].split(", ")
        assert len(items) == min(50, len(amounts))
        assert len(headers[name]) < 6_000
        assert all(map(_ITEM.fullmatch, items))


def test_a_name_in_a_warning_stays_in_its_line() -> None:
    odd = dataclasses.replace(REQUESTS, model="gpt-\r\nset-cookie: ä*" + "x" * 5_000)
    text = receipt_headers(BARE._replace(warnings=(odd,) * 50))["x-langroute-warning"]
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 4_000


def test_a_soft_limit_that_was_passed_is_warned_of() -> None:
    headers = receipt_headers(BARE._replace(warnings=(REQUESTS,)))
    assert headers["x-langroute-warning"] == "requests a minute of the key"


def test_who_answered_is_told_along_with_every_attempt() -> None:
    failed = Attempt(provider="openai", model="gpt", result="429")
    answered = Attempt(provider="mistral", model="large", result="ok")
    receipt = BARE._replace(attempts=(failed, answered))
    assert receipt_headers(receipt) == {
        **REQUEST_ID,
        "x-langroute-attempts": "openai/gpt=429, mistral/large=ok",
        "x-langroute-provider": "mistral",
        "x-langroute-model": "large",
    }


def test_whatever_a_model_is_called_it_stays_in_its_line() -> None:
    answered = Attempt(provider="mistral", model="ä\r\nx: 1" + "y" * 70_000, result="ok")
    headers = receipt_headers(BARE._replace(attempts=(answered,) * 3))
    for name, longest in (("x-langroute-model", 256), ("x-langroute-attempts", 4_000)):
        assert headers[name].isascii()
        assert headers[name].isprintable()
        assert len(headers[name]) <= longest


def test_nobody_is_named_as_the_one_who_answered_where_nobody_did() -> None:
    failed = Attempt(provider="openai", model="gpt", result="429")
    headers = receipt_headers(BARE._replace(attempts=(failed,)))
    assert "x-langroute-provider" not in headers


def test_what_was_dropped_the_cap_and_the_cost_are_told() -> None:
    receipt = BARE._replace(dropped=("seed", "logit_bias"), output_cap=50, cost=Money(1_500_000))
    assert receipt_headers(receipt) == {
        **REQUEST_ID,
        "x-langroute-dropped": "seed, logit_bias",
        "x-langroute-output-cap": "50",
        "x-langroute-cost": "0.0000015",
    }


def test_a_cap_that_was_shrunk_is_told_with_what_it_was() -> None:
    headers = receipt_headers(BARE._replace(output_cap=50, shrunk_from=900))
    assert headers["x-langroute-output-cap"] == "50"
    assert headers["x-langroute-shrunk-from"] == "900"


def test_a_cost_of_nothing_is_a_cost() -> None:
    assert receipt_headers(BARE._replace(cost=Money(0)))["x-langroute-cost"] == "0.00"
