import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.ids import KeyId, RequestId
from langroute.domain.keys import VirtualKey
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.limits import Limits
from langroute.domain.money import Money
from langroute.domain.usage import TokenUsage
from langroute.entrypoints.price_views import per_mtok
from langroute.entrypoints.times import to_ns
from langroute.entrypoints.views import entry_view, key_view, moment

KEY = VirtualKey(
    id=KeyId(UUID(int=1)),
    name="app",
    digest=b"secret digest",
    hint="wxyz",
    limits=Limits(requests_per_minute=5),
    created_at_ns=0,
    expires_at_ns=10**9,
)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1)))  # noqa: DTZ001
def test_a_moment_comes_back_to_the_microsecond(at: datetime) -> None:
    aware = at.replace(tzinfo=UTC)
    text = moment(to_ns(aware))
    assert text is not None
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == aware


def test_a_moment_without_a_zone_is_in_utc() -> None:
    naive = datetime(2026, 6, 16, 12, 0, 0, 1)  # noqa: DTZ001
    assert to_ns(naive) == to_ns(naive.replace(tzinfo=UTC))
    elsewhere = naive.replace(tzinfo=timezone(timedelta(hours=2)))
    assert to_ns(naive) - to_ns(elsewhere) == 2 * 3600 * 10**9


def test_no_moment_is_none() -> None:
    assert moment(None) is None
    assert moment(0) == "1970-01-01T00:00:00Z"
    assert moment(1_500_000_000) == "1970-01-01T00:00:01.500000Z"


@given(st.integers(0, 10**12))
def test_a_rate_is_shown_exactly_a_million_tokens(pico: int) -> None:
    text = per_mtok(Money(pico))
    assert text is not None
    assert "E" not in text
    assert Decimal(text) * 10**6 == pico


@pytest.mark.parametrize(
    ("pico", "text"), [(0, "0"), (500_000, "0.5"), (10_000_000, "10"), (1, "0.000001")]
)
def test_a_rate_reads_as_a_price_list_has_it(pico: int, text: str) -> None:
    assert per_mtok(Money(pico)) == text


def test_a_rate_that_there_is_not_is_none() -> None:
    assert per_mtok(None) is None


def test_a_key_is_shown_without_its_digest() -> None:
    shown = key_view(KEY, now_ns=0)
    assert (shown["hint"], shown["state"], shown["requests_per_minute"]) == ("…wxyz", "active", 5)
    assert "digest" not in json.dumps(shown)
    assert key_view(KEY, now_ns=10**9)["state"] == "expired"


def test_an_entry_is_shown_whole() -> None:
    entry = LedgerEntry(
        request_id=RequestId(UUID(int=10)),
        key_id=KEY.id,
        at_ns=0,
        duration_ns=1_999_999,
        first_byte_ns=0,
        model="smart",
        outcome=Outcome.SUCCEEDED,
        attempts=1,
        streamed=True,
        usage=TokenUsage(input=3, reasoning=4),
        cost=Money(1),
        priced=False,
    )
    shown = entry_view(entry)
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["duration_ms"], shown["first_byte_ms"]) == (1, 0)
    assert sum(shown["usage"].values()) == entry.usage.total
    assert (shown["cost_usd"], shown["priced"]) == ("0.000000000001", False)
    assert shown["request_id"] == "req_0000000000000000000000000000000a"
