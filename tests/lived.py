"""Some calls, as they come to random counters: what a process knows, and what is written of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import uuid4

from hypothesis import strategies as st

from langroute.domain.admission import Ask, CounterId, Reservation
from langroute.domain.books import Books
from langroute.domain.ids import KeyId, OrganizationId, RequestId, TeamId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Counter, Limit, Measure, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, organization_scope, team_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.rate_window import MINUTE_NS, SLOTS
from langroute.domain.rebuild import claim_on, first_place, rebuilt, tallies
from langroute.domain.scopes import Scope
from langroute.domain.usage import TokenUsage
from samples import entry_of

S = 10**9
SLOT_NS = MINUTE_NS // SLOTS
START_NS = 1_800_000_000 * S
LEASE_NS = 90 * S
DAILY = Period(every=Every.DAY, zone="Europe/Berlin")


class Asks(NamedTuple):
    key: int
    tokens: int
    end_user: str | None
    model: str


class Settles(NamedTuple):
    which: int
    actual: int


class Passes(NamedTuple):
    ns: int


SETTLES = st.builds(Settles, which=st.integers(0, 50), actual=st.integers(0, 50))
PASSED_NS = (
    st.integers(0, 2 * SLOT_NS)
    | st.integers(0, 8).map(lambda tens: tens * 10 * S)
    | st.integers(0, 30).map(lambda hours: hours * 3_600 * S)
    | st.sampled_from([MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + SLOT_NS])
)

Step = Asks | Settles | Passes
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(
            Asks,
            key=st.integers(0, 1),
            tokens=st.integers(0, 35),
            end_user=st.sampled_from([None, "ann", "bob"]),
            model=st.sampled_from(["a1", "b"]),
        ),
        SETTLES,
        st.builds(Passes, PASSED_NS),
    ),
    max_size=40,
)


def a_limit(scope: Scope, measure: Measure, **rest: Any) -> Limit:
    return Limit(scope=scope, measure=measure, amount=60, **rest)


@dataclass(slots=True)
class Lived:
    """The books of a process, and what it has written down: of two keys of one team."""

    now_ns: int = START_NS
    keys: tuple[KeyId, KeyId] = field(default_factory=lambda: (KeyId(uuid4()), KeyId(uuid4())))
    team: TeamId = field(default_factory=lambda: TeamId(uuid4()))
    organization: OrganizationId = field(default_factory=lambda: OrganizationId(uuid4()))
    books: Books = field(default_factory=Books)
    over: list[tuple[LedgerEntry, Reservation]] = field(default_factory=list)

    @property
    def limits(self) -> tuple[Limit, ...]:
        key = key_scope(self.keys[0])
        team, all_ = team_scope(self.team), organization_scope(self.organization)
        return (
            a_limit(key, Measure.REQUESTS),
            a_limit(key, Measure.TOKENS),
            a_limit(team, Measure.TOKENS, window=Sliding(seconds=7)),
            a_limit(all_, Measure.MONEY, window=Sliding(seconds=3600), soft=True),
            a_limit(team, Measure.PARALLEL, window=FOR_GOOD, soft=True),
            a_limit(key, Measure.MONEY, window=DAILY),
            a_limit(all_, Measure.MONEY, window=FOR_GOOD, soft=True),
            a_limit(team, Measure.REQUESTS, window=DAILY, soft=True),
            a_limit(team, Measure.TOKENS, end_user="*", soft=True),
            a_limit(key, Measure.REQUESTS, model="a*", soft=True),
        )

    def through(self, steps: Sequence[Step]) -> "Lived":
        for step in steps:
            match step:
                case Passes(ns):
                    self.now_ns += ns
                case Asks():
                    self._ask(step)
                case Settles():
                    self._settle(step)
        return self

    def _ask(self, step: Asks) -> None:
        ask = Ask(
            request_id=RequestId(uuid4()),
            key_id=self.keys[step.key],
            team_id=self.team,
            organization_id=self.organization,
            model=step.model,
            end_user=step.end_user,
            streamed=False,
            at_ns=self.now_ns,
            lease_until_ns=self.now_ns + LEASE_NS,
            input_bound=step.tokens // 2,
            output_bound=step.tokens - step.tokens // 2,
            cost_bound=Money(step.tokens),
        )
        scopes = (ask.key_id, self.team, self.organization)
        limits = [limit for limit in self.limits if limit.scope.id in scopes]
        _, self.books = self.books.admit(ask, limits, self.now_ns)

    def _settle(self, step: Settles) -> None:
        if not self.books.open:
            return
        held = list(self.books.open.values())[step.which % len(self.books.open)]
        usage, cost = TokenUsage(output=step.actual), Money(step.actual)
        lasted_ns = self.now_ns - held.ask.at_ns
        entry = entry_of(held.ask, usage, cost, duration_ns=lasted_ns)
        self.over.append((entry, held))
        _, self.books = self.books.settle(held.ask.request_id, usage, cost, self.now_ns)

    def rebuilt(
        self, limit: Limit, *, known: bool = True, claimed: bool = True
    ) -> dict[CounterId, Counter]:
        """`known` is whether what calls were admitted with is there, too; `claimed`, whether they
        were admitted under this limit."""
        over = [
            tally
            for entry, held in self.over
            for tally in tallies(limit, entry, as_it_is(held, claimed) if known else None)
        ]
        held_now = (as_it_is(held, claimed) for held in self.books.open.values())
        claims = [claim for held in held_now if (claim := claim_on(limit, held))]
        kept = [tally for tally in over if tally.place >= first_place(limit, self.now_ns)]
        return rebuilt(limit, kept, claims, self.now_ns)


def as_it_is(held: Reservation, claimed: bool) -> Reservation:
    return held if claimed else replace(held, claims=())
