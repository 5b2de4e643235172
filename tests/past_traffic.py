"""Calls that are over, for tests of what they would have been: drawn, and lived through with the
books, which are admission without a store."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from langroute.domain.admission import Ask, Reservation
from langroute.domain.books import Books
from langroute.domain.corrections import BookedCall
from langroute.domain.ids import KeyId, OrganizationId, RequestId, TeamId
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.limits import Limit, Measure, Refusal, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, organization_scope, team_scope
from langroute.domain.past_calls import PastCall
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.usage import TokenUsage

S = 10**9
START_NS = 1_793_000_000 * S
KEYS = [KeyId(UUID(int=number)) for number in (1, 2)]
TEAM = TeamId(UUID(int=11))
ORGANIZATION = OrganizationId(UUID(int=21))
SCOPES = [*map(key_scope, KEYS), team_scope(TEAM), organization_scope(ORGANIZATION)]
PICO_PER_TOKEN = 3


def a_past_call(number: int = 0, at_ns: int = START_NS, **different: Any) -> PastCall:
    """Of four tokens that were used, and ten that were reserved. Whatever is different is so in
    the entry and, where that has it, in what was asked for."""
    usage = different.pop("usage", TokenUsage(input=3, output=1))
    fields: dict[str, Any] = {
        "request_id": RequestId(UUID(int=number)),
        "key_id": KEYS[0],
        "team_id": TEAM,
        "organization_id": ORGANIZATION,
        "at_ns": at_ns,
        "duration_ns": S,
        "model": "m",
        "provider": "p",
        "upstream_model": "up",
        "outcome": Outcome.SUCCEEDED,
        "attempts": 1,
        "streamed": False,
        "usage": usage,
        "cost": Money(PICO_PER_TOKEN * usage.total),
        "priced": True,
        "input_bound": 4,
        "output_bound": 6,
    } | different
    bounds = fields.pop("input_bound"), fields.pop("output_bound")
    entry = LedgerEntry(**fields)
    of_both = ("request_id", "key_id", "team_id", "organization_id", "end_user", "tag", "model")
    ask = Ask(
        **{name: getattr(entry, name) for name in of_both},
        streamed=entry.streamed,
        at_ns=at_ns,
        lease_until_ns=at_ns + 600 * S,
        input_bound=bounds[0],
        output_bound=bounds[1],
        cost_bound=Money(PICO_PER_TOKEN * sum(bounds)),
        priced=entry.priced,
    )
    return PastCall(BookedCall(entry=entry), ask)


@st.composite
def traffic(draw: st.DrawFn) -> list[PastCall]:
    """In the order of their time. Some use more than they asked for."""
    calls, at_ns = [], START_NS
    for number in range(draw(st.integers(1, 25))):
        at_ns += draw(st.integers(1, 20 * S))
        call = a_past_call(
            number,
            at_ns,
            key_id=draw(st.sampled_from(KEYS)),
            team_id=draw(st.sampled_from([None, TEAM])),
            end_user=draw(st.sampled_from([None, "ann", "bob"])),
            model=draw(st.sampled_from(["m", "n"])),
            duration_ns=draw(st.integers(0, 100 * S)),
            usage=TokenUsage(input=draw(st.integers(0, 12)), output=draw(st.integers(0, 12))),
            input_bound=draw(st.integers(0, 10)),
            output_bound=draw(st.integers(0, 10)),
        )
        calls.append(call)
    return calls


def limits(**different: Any) -> st.SearchStrategy[tuple[Limit, ...]]:
    """Of all kinds, each once."""
    window = st.sampled_from(
        [Sliding(seconds=30), Sliding(seconds=60), Period(every=Every.DAY), FOR_GOOD]
    )
    one = st.builds(
        _limit,
        scope=st.sampled_from(SCOPES),
        measure=st.sampled_from(Measure),
        amount=st.integers(0, 60),
        window=window,
        model=st.sampled_from([None, "m"]),
        end_user=st.sampled_from([None, "*"]),
        soft=st.booleans(),
        **different,
    )
    return st.lists(one, max_size=5, unique_by=lambda limit: limit.id).map(tuple)


def _limit(*, measure: Measure, window: Any, **fields: Any) -> Limit:
    if measure is Measure.PARALLEL:
        window = FOR_GOOD
        fields["amount"] //= 10
    return Limit(measure=measure, window=window, **fields)


def by_scope(limits: Iterable[Limit]) -> dict[UUID, list[Limit]]:
    found: dict[UUID, list[Limit]] = {}
    for limit in limits:
        found.setdefault(limit.scope.id, []).append(limit)
    return found


@dataclass(frozen=True, slots=True)
class Lived:
    call: PastCall
    decision: Reservation | Refusal


def lived(calls: Sequence[PastCall], limits: Iterable[Limit]) -> Iterator[Lived]:
    """Each call, as the books would have decided on it."""
    carried = by_scope(limits)
    books, ends = Books(), list[tuple[int, int, PastCall]]()
    for number, call in enumerate(calls):
        assert call.ask is not None
        entry = call.call.entry
        for end in sorted(ends):
            if end[0] <= entry.at_ns:
                ends.remove(end)
                over = end[2].call
                _, books = books.settle(over.entry.request_id, over.usage, over.cost, end[0])
        whose = (call.ask.key_id, call.ask.team_id, call.ask.organization_id)
        held_to = [limit for scope in whose if scope for limit in carried.get(scope, ())]
        decision, books = books.admit(call.ask, held_to, entry.at_ns)
        if isinstance(decision, Reservation):
            ends.append((entry.at_ns + entry.duration_ns, number, call))
        yield Lived(call, decision)


def corrected(call: PastCall, **different: Any) -> PastCall:
    booked = call.call
    fields: dict[str, Any] = {"usage": booked.usage, "cost": booked.cost, "posted_at_ns": 1}
    correction = booked.corrected(reason="why", **fields | different)
    return replace(call, call=booked.with_(correction))
