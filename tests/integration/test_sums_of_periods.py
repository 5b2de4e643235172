"""What a day, a week or a month has counted, from the sums by day and, at its edges, from calls one
by one: the same as from all of its calls."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.history import settled_of
from langroute.adapters.postgres.ledger_rows import write
from langroute.adapters.postgres.postings import LONGEST_NAME
from langroute.domain.corrections import BookedCall
from langroute.domain.ids import KeyId
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope
from langroute.domain.periods import Every, Period
from langroute.domain.rebuild import tallies_of
from langroute.domain.usage import TokenUsage
from samples import new_entry

S = 10**9
HOUR_NS = 3600 * S
NOW_NS = 1_800_000_000 * S
LONGEST_CALL_NS = 900 * S
LONG = "a" * LONGEST_NAME
PERIODS = [
    Period(every=Every.DAY),
    Period(every=Every.DAY, zone="Europe/Berlin"),
    Period(every=Every.WEEK, zone="America/New_York"),
    Period(every=Every.MONTH, zone="Asia/Kolkata"),
    Period(every=Every.MONTH),
]


class Call(NamedTuple):
    hours: int
    seconds: int
    tokens: int
    model: str
    tag: str | None
    corrected_to: int | None


CALLS = st.lists(
    st.builds(
        Call,
        hours=st.integers(-800, 800),
        seconds=st.sampled_from([0, -1, 1, 899, 900, 1800]),
        tokens=st.integers(0, 99),
        model=st.sampled_from(["a1", "b", LONG, f"{LONG}b"]),
        tag=st.sampled_from([None, "x", f"x{LONG}"]),
        corrected_to=st.none() | st.integers(0, 99),
    ),
    max_size=30,
)
NARROW: list[dict[str, Any]] = [{}, {"model": "a*"}, {"tag": "x*"}, {"tag": "*", "model": "*b"}]
EVERY_HOUR = [Call(hours, 0, 1, "a1", None, None) for hours in range(-750, 750, 5)]


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: f"{period.every}-{period.zone}")
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=CALLS)
@example(calls=EVERY_HOUR)
async def test_a_period_has_counted_all_of_its_calls(
    database: Database, period: Period, calls: Sequence[Call]
) -> None:
    key = KeyId(uuid4())
    limits = [
        Limit(scope=key_scope(key), amount=1, window=period, measure=measure, **narrow)
        for measure in (Measure.TOKENS, Measure.MONEY, Measure.REQUESTS)
        for narrow in NARROW
    ]
    began_ns, _ = period.around(NOW_NS)
    booked = [_booked(key, began_ns, call) for call in calls]
    async with database.transaction() as connection:
        for call in booked:
            await write(connection, [call.entry, *call.corrections])
        counted = await settled_of(connection, limits, NOW_NS, LONGEST_CALL_NS)
    for limit in limits:
        expected: Counter[str] = Counter()
        for call in booked:
            for tally in tallies_of(limit, call):
                if tally.place == began_ns:
                    expected[tally.name] += tally.amount
        found: Counter[str] = Counter()
        for tally in counted.get(limit.id, ()):
            if tally.place == began_ns:
                found[tally.name] += tally.amount
        assert found == expected


def _booked(key: KeyId, began_ns: int, call: Call) -> BookedCall:
    """Hours after the period began."""
    entry = new_entry(
        key_id=key,
        at_ns=began_ns + call.hours * HOUR_NS + call.seconds * S,
        model=call.model,
        tag=call.tag,
        usage=TokenUsage(output=call.tokens),
        cost=Money(call.tokens),
    )
    booked = BookedCall(entry=entry)
    if call.corrected_to is None:
        return booked
    correction = booked.corrected(
        usage=TokenUsage(output=call.corrected_to),
        cost=Money(call.corrected_to),
        reason="the provider's bill",
        posted_at_ns=entry.at_ns + HOUR_NS,
    )
    return booked.with_(correction)
