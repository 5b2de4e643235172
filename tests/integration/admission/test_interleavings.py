"""Two gateways on one Postgres, in any order of calls, settlements that come late, leases that run
out, limits that change and clocks that step: what is decided is what the pure `Books` decide."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from langroute.adapters.postgres.database import Database
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Ask, Reservation, counted, standing
from langroute.domain.books import Books
from langroute.domain.ids import KeyId, RequestId, TeamId
from langroute.domain.limits import Limit, Measure, Refusal, Sliding, Standing
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, team_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.usage import TokenUsage
from postgres_admission import SettledLater

S = 10**9
# A minute before Berlin sets its clocks back, and midnight, are a few steps away.
BEGIN_NS = 1_792_886_300 * S
DAILY = Period(every=Every.DAY, zone="Europe/Berlin")
WEEKLY = Period(every=Every.WEEK, zone="America/New_York")
GATEWAYS = st.integers(0, 1)
# Most calls have to fit into all of their limits, or nothing ever happens.
AMOUNT = st.one_of(st.none(), st.integers(0, 60), *[st.integers(100, 1_000)] * 3)
AMOUNTS = st.lists(AMOUNT, min_size=8, max_size=8)


class SteppedClock(SystemClock):
    def __init__(self) -> None:
        self.ns = BEGIN_NS

    def now_ns(self) -> int:
        return self.ns


class Interleavings(RuleBasedStateMachine):
    url: str
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.clock = SteppedClock()
        self.database = Database(self.url)
        self.gateways = [SettledLater(self.database, self.clock) for _ in range(2)]
        self.books = Books()
        self.settled: list[list[tuple[RequestId, TokenUsage, Money]]] = [[], []]
        self.open: list[set[RequestId]] = [set(), set()]
        self.team = uuid4()
        self.keys = (uuid4(), uuid4())

    def teardown(self) -> None:
        for gateway in self.gateways:
            self.loop.run(gateway.aclose())
        self.loop.run(self.database.aclose())
        self.loop.close()

    @rule(
        target=calls,
        gateway=GATEWAYS,
        key=st.integers(0, 1),
        size=st.integers(0, 30),
        end_user=st.sampled_from([None, "ann", "bob"]),
        lease_s=st.sampled_from([1, 60, 600]),
        amounts=AMOUNTS,
    )
    def admit(
        self,
        gateway: int,
        key: int,
        size: int,
        end_user: str | None,
        lease_s: int,
        amounts: Sequence[int | None],
    ) -> object:
        ask = self.ask(self.keys[key], size, end_user, lease_s)
        limits = self.limits(self.keys[key], amounts)
        expected, self.books = self.books.admit(ask, limits, self.clock.ns)
        decision, standings = self.loop.run(self.gateways[gateway].admit(ask, limits))
        assert decision == expected
        assert list(standings) == self.standings(ask, limits)
        if isinstance(decision, Refusal):
            return multiple()
        self.open[gateway].add(ask.request_id)
        return gateway, decision

    @rule(call=calls, used=st.integers(0, 60))
    def settle(self, call: tuple[int, Reservation], used: int) -> None:
        """The gateway knows it now, the others with the ledger's next batch."""
        gateway, reservation = call
        usage, cost = TokenUsage(output=used), Money(used * 10**18)
        told = self.gateways[gateway].settle(reservation, usage, cost)
        request_id = reservation.ask.request_id
        assert (told is not None) == (request_id in self.open[gateway])
        if told is not None:
            self.open[gateway].remove(request_id)
            self.settled[gateway].append((request_id, usage, cost))

    @rule(call=calls, used=st.integers(0, 60))
    def settle_and_write(self, call: tuple[int, Reservation], used: int) -> None:
        self.settle(call, used)
        self.write(call[0])

    @rule(gateway=GATEWAYS)
    def write(self, gateway: int) -> None:
        for settled in self.settled[gateway]:
            changed, self.books = self.books.settle(*settled, self.clock.ns)
            assert changed
        self.settled[gateway] = []
        self.loop.run(self.gateways[gateway].written())

    @rule(gateway=GATEWAYS)
    def expire(self, gateway: int) -> None:
        for reservation in self.loop.run(self.gateways[gateway].expired()):
            ask = reservation.ask
            assert ask.lease_until_ns <= self.clock.ns
            told = self.gateways[gateway].settle(reservation, ask.usage_bound, ask.cost_bound)
            assert told is not None
            self.open[gateway].remove(ask.request_id)
            self.settled[gateway].append((ask.request_id, ask.usage_bound, ask.cost_bound))

    @rule(
        ns=st.integers(0, S)
        | st.integers(-90, 90).map(lambda seconds: seconds * S)
        | st.integers(-1, 30).map(lambda hours: hours * 3_600 * S)
        | st.integers(0, 9).map(lambda days: days * 24 * 3_600 * S)
    )
    def step(self, ns: int) -> None:
        self.clock.ns += ns

    @rule(ns=st.sampled_from([-S, 0, S]))
    def step_to_midnight(self, ns: int) -> None:
        self.clock.ns = DAILY.around(self.clock.ns)[1] or 0
        self.clock.ns += ns

    @invariant()
    def nothing_expires_early_or_late(self) -> None:
        expired = {
            each.ask.request_id
            for gateway in self.gateways
            for each in self.loop.run(gateway.expired())
        }
        waiting = {request_id for settled in self.settled for request_id, _, _ in settled}
        in_books = {each.ask.request_id for each in self.books.expired(self.clock.ns)}
        assert expired == in_books - waiting

    def ask(self, key: UUID, size: int, end_user: str | None, lease_s: int) -> Ask:
        return Ask(
            request_id=RequestId(uuid4()),
            key_id=KeyId(key),
            team_id=TeamId(self.team),
            model="m",
            end_user=end_user,
            streamed=False,
            at_ns=self.clock.ns,
            lease_until_ns=self.clock.ns + lease_s * S,
            input_bound=size // 3,
            output_bound=size - size // 3,
            cost_bound=Money(size * 10**18),
        )

    def limits(self, of: UUID, amounts: Sequence[int | None]) -> list[Limit]:
        """Other amounts with every call: what was counted stays."""
        key, team = key_scope(of), team_scope(self.team)
        tokens, money = Measure.TOKENS, Measure.MONEY
        made = [
            Limit(scope=key, measure=tokens, amount=3 * (amounts[0] or 0)),
            Limit(scope=team, measure=tokens, amount=amounts[1] or 0, window=Sliding(seconds=7)),
            Limit(scope=team, measure=Measure.PARALLEL, amount=amounts[2] or 0, window=FOR_GOOD),
            Limit(scope=key, measure=money, amount=(amounts[3] or 0) * 10**19, window=DAILY),
            Limit(scope=team, measure=money, amount=(amounts[4] or 0) * 10**19, window=WEEKLY),
            Limit(scope=team, measure=tokens, amount=amounts[5] or 0, window=DAILY, soft=True),
            Limit(scope=team, measure=Measure.REQUESTS, amount=amounts[6] or 0, end_user="*"),
            Limit(scope=key, measure=money, amount=(amounts[7] or 0) * 10**18),
        ]
        return [limit for limit, amount in zip(made, amounts, strict=True) if amount is not None]

    def standings(self, ask: Ask, limits: Sequence[Limit]) -> list[Standing]:
        return [
            standing(
                c.limit, self.books.counters.get(c.counter_id) or c.limit.fresh(), self.clock.ns
            )
            for c in counted(ask, limits)
        ]


def test_two_gateways_decide_as_the_pure_books_do(database_url: str) -> None:
    class OnThisDatabase(Interleavings):
        url = database_url

    run_state_machine_as_test(
        OnThisDatabase, settings=settings(max_examples=20, stateful_step_count=40, deadline=None)
    )
