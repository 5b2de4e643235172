"""What every Admission must do: the same as the pure `Books`, which are the oracle here.

A store joins by adding a fixture that makes a `Store`, and the fixture's name to STORES. One that
goes by its server's clock must be told in tests to go by `Store.clock` instead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clocks import SteppedClock
from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.memory.seeds import STEP_BACK_NS
from langroute.adapters.redis.admission import RedisAdmission
from langroute.application.ports.admission import Admission
from langroute.domain.admission import Ask, Reservation, counted, standing
from langroute.domain.books import Books
from langroute.domain.ids import KeyId, OrganizationId, RequestId, TeamId
from langroute.domain.limits import Limit, Limits, Measure, Refusal, Sliding, Standing
from langroute.domain.money import ZERO, Money
from langroute.domain.organizations import (
    MOST_LIMITS,
    key_scope,
    organization_scope,
    team_scope,
)
from langroute.domain.periods import FOR_GOOD, Period
from langroute.domain.rate_window import MINUTE_NS
from langroute.domain.usage import NO_USAGE, TokenUsage
from lived import DAILY, LEASE_NS, PASSED_NS, SETTLES, SLOT_NS, Passes, S, Settles
from postgres_admission import SettledLater
from postgres_fixtures import Databases
from valkey_fixtures import Valkey, a_line

STORES = ("memory", "postgres", "valkey")


async def at_once() -> None:
    """Where nothing has to arrive anywhere."""


@dataclass(frozen=True, slots=True)
class Store:
    admission: Admission
    clock: SteppedClock
    arrived: Callable[[], Awaitable[None]] = at_once

    async def settled(self) -> None:
        """Returns once the store knows all that was settled so far."""
        await self.arrived()


@pytest.fixture
def memory() -> Store:
    clock = SteppedClock()
    return Store(MemoryAdmission(clock), clock)


@pytest.fixture
async def postgres(databases: Databases) -> AsyncIterator[Store]:
    clock = SteppedClock()
    async with databases.migrated() as database:
        admission = SettledLater(database, clock)
        yield Store(admission, clock, admission.written)
        await admission.aclose()


@pytest.fixture
async def valkey(valkey_server: Valkey) -> AsyncIterator[Store]:
    clock = SteppedClock()
    async with a_line(valkey_server.url) as line:
        yield Store(RedisAdmission(line, clock, instead=clock), clock, line.flush)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.getfixturevalue(request.param)
    return made


def a_key() -> KeyId:
    """One that no other test uses, so that a store may be shared."""
    return KeyId(uuid4())


def limits_of(key: KeyId, rpm: int | None = None, tpm: int | None = None) -> tuple[Limit, ...]:
    limits = Limits(requests_per_minute=rpm, tokens_per_minute=tpm)
    return tuple(limits.of(key_scope(key)))


def a_budget(key: KeyId, amount: int, window: Period = FOR_GOOD) -> Limit:
    return Limit(scope=key_scope(key), measure=Measure.MONEY, amount=amount, window=window)


def an_ask(
    store: Store,
    key: KeyId,
    tokens: int = 0,
    bound: Money = ZERO,
    lease_ns: int = LEASE_NS,
    model: str = "m",
    end_user: str | None = None,
    team: UUID | None = None,
    organization: UUID | None = None,
) -> Ask:
    now_ns = store.clock.now_ns()
    return Ask(
        request_id=RequestId(uuid4()),
        key_id=key,
        team_id=None if team is None else TeamId(team),
        organization_id=None if organization is None else OrganizationId(organization),
        model=model,
        end_user=end_user,
        streamed=False,
        at_ns=now_ns,
        lease_until_ns=now_ns + lease_ns,
        input_bound=tokens // 2,
        output_bound=tokens - tokens // 2,
        cost_bound=bound,
    )


async def admitted(store: Store, ask: Ask, limits: Sequence[Limit] = ()) -> Reservation:
    decision, _ = await store.admission.admit(ask, limits)
    assert isinstance(decision, Reservation), decision
    assert decision.ask == ask
    return decision


async def refused(store: Store, ask: Ask, limits: Sequence[Limit]) -> Refusal:
    decision, _ = await store.admission.admit(ask, limits)
    assert isinstance(decision, Refusal)
    return decision


async def left_of(store: Store, limits: Sequence[Limit]) -> list[int]:
    """Of a key's own limits. Asked for without using anything up: a call that a limit of nothing
    refuses."""
    await store.settled()
    closed = Limit(scope=key_scope(a_key()), measure=Measure.REQUESTS, amount=0)
    ask = an_ask(store, KeyId(limits[0].scope.id))
    _, standings = await store.admission.admit(ask, [*limits, closed])
    return [each.remaining for each in standings[:-1]]


async def expired_of(store: Store, key: KeyId) -> set[RequestId]:
    return {
        held.ask.request_id for held in await store.admission.expired() if held.ask.key_id == key
    }


async def test_refuses_the_call_that_would_exceed_a_limit(store: Store) -> None:
    key = a_key()
    requests, tokens = limits = limits_of(key, 2, 100)
    await admitted(store, an_ask(store, key, 60), limits)
    refusal = await refused(store, an_ask(store, key, 41), limits)
    assert (refusal.limit, refusal.used, refusal.asked) == (tokens, 60, 41)
    await admitted(store, an_ask(store, key, 40), limits)
    assert (await refused(store, an_ask(store, key, 0), limits)).limit == requests


async def test_a_refused_call_takes_nothing(store: Store) -> None:
    key = a_key()
    limits = limits_of(key, 1, 100)
    await refused(store, an_ask(store, key, 101), limits)
    assert await left_of(store, limits) == [1, 100]
    await admitted(store, an_ask(store, key, 100), limits)
    store.clock.ns += LEASE_NS
    assert len(await expired_of(store, key)) == 1


async def test_every_one_of_as_many_limits_as_there_can_be_is_held(store: Store) -> None:
    key, team, organization = a_key(), uuid4(), uuid4()
    limits = [
        Limit(scope=scope, measure=Measure.TOKENS, amount=150, window=Sliding(seconds=seconds))
        for scope in (key_scope(key), team_scope(team), organization_scope(organization))
        for seconds in range(1, MOST_LIMITS + 1)
    ]
    limits[70] = replace(limits[70], amount=149)

    def ask() -> Ask:
        return an_ask(store, key, 50, team=team, organization=organization)

    await admitted(store, ask(), limits)
    _, standings = await store.admission.admit(ask(), limits)
    assert [each.remaining for each in standings] == [limit.amount - 100 for limit in limits]
    refusal = await refused(store, ask(), limits)
    assert (refusal.limit, refusal.used, refusal.asked) == (limits[70], 100, 50)


async def test_the_limit_that_takes_longest_is_told(store: Store) -> None:
    key = a_key()
    requests, tokens = limits = limits_of(key, 2, 100)
    await admitted(store, an_ask(store, key, 1), limits)
    store.clock.ns += 30 * S
    await admitted(store, an_ask(store, key, 99), limits)
    store.clock.ns += S
    refusal = await refused(store, an_ask(store, key, 50), limits)
    assert refusal.limit == tokens
    never = await refused(store, an_ask(store, key, 101), limits)
    assert (never.limit, never.retry_after_ns) == (tokens, None)
    assert (await refused(store, an_ask(store, key, 1), limits)).limit == requests


async def test_whoever_waits_as_long_as_told_is_admitted(store: Store) -> None:
    key = a_key()
    limits = limits_of(key, 1)
    await admitted(store, an_ask(store, key), limits)
    store.clock.ns += 10 * S
    wait_ns = (await refused(store, an_ask(store, key), limits)).retry_after_ns
    assert wait_ns is not None
    store.clock.ns += wait_ns - 1
    await refused(store, an_ask(store, key), limits)
    store.clock.ns += 1
    await admitted(store, an_ask(store, key), limits)


async def test_tells_what_a_decision_leaves(store: Store) -> None:
    key = a_key()
    requests, tokens = limits = limits_of(key, 5, 100)
    decision, standings = await store.admission.admit(an_ask(store, key, 30), limits)
    assert isinstance(decision, Reservation)
    assert [(s.limit, s.remaining) for s in standings] == [(requests, 4), (tokens, 70)]
    assert standings[0].reset_ns is not None
    assert MINUTE_NS < standings[0].reset_ns <= MINUTE_NS + SLOT_NS
    _, again = await store.admission.admit(an_ask(store, key, 71), limits)
    assert list(again) == list(standings)
    assert await left_of(store, limits_of(a_key(), 5, 100)) == [5, 100]


async def test_foresees_what_would_be_decided_and_takes_nothing(store: Store) -> None:
    key = a_key()
    requests, tokens = limits = limits_of(key, 2, 100)
    await admitted(store, an_ask(store, key, 60), limits)
    for _ in range(3):
        refusal, standings = await store.admission.foresee(an_ask(store, key, 40), limits)
        assert refusal is None
        assert [(s.limit, s.remaining) for s in standings] == [(requests, 1), (tokens, 40)]
    foreseen, _ = await store.admission.foresee(an_ask(store, key, 41), limits)
    assert foreseen == await refused(store, an_ask(store, key, 41), limits)
    await admitted(store, an_ask(store, key, 40), limits)
    store.clock.ns += LEASE_NS
    assert len(await expired_of(store, key)) == 2


async def test_settles_exactly_once(store: Store) -> None:
    key = a_key()
    limits = (*limits_of(key, tpm=100), a_budget(key, 1_000))
    reservation = await admitted(store, an_ask(store, key, 80, Money(900)), limits)
    settled = store.admission.settle(reservation, TokenUsage(output=30), Money(5))
    assert settled is not None
    assert [s.remaining for s in settled] == [70, 995]
    for usage in (TokenUsage(output=30), NO_USAGE, TokenUsage(output=5_000)):
        assert store.admission.settle(reservation, usage, Money(5)) is None
    assert await left_of(store, limits) == [70, 995]


async def test_what_was_never_admitted_does_not_settle(store: Store) -> None:
    key = a_key()
    limits = limits_of(key, tpm=100)
    await admitted(store, an_ask(store, key, 10), limits)
    stranger = Reservation(ask=an_ask(store, key, 50))
    assert store.admission.settle(stranger, NO_USAGE, ZERO) is None
    assert await left_of(store, limits) == [90]


async def test_a_debt_blocks_until_it_has_slid_out(store: Store) -> None:
    key = a_key()
    limits = limits_of(key, tpm=100)
    reservation = await admitted(store, an_ask(store, key, 10), limits)
    store.clock.ns += 30 * S
    store.admission.settle(reservation, TokenUsage(output=500), ZERO)
    await store.settled()
    store.clock.ns += MINUTE_NS
    assert (await refused(store, an_ask(store, key, 1), limits)).used == 490
    store.clock.ns += SLOT_NS
    await admitted(store, an_ask(store, key, 100), limits)


async def test_every_scope_has_to_admit(store: Store) -> None:
    one, other, team, organization = (a_key() for _ in range(4))
    of_team = Limit(scope=team_scope(team), measure=Measure.REQUESTS, amount=3)
    of_all = Limit(scope=organization_scope(organization), measure=Measure.TOKENS, amount=100)
    ones, others = ((*limits_of(key, 2), of_team, of_all) for key in (one, other))

    def ask_of(key: KeyId, tokens: int = 0) -> Ask:
        return an_ask(store, key, tokens, team=team, organization=organization)

    await admitted(store, ask_of(one), ones)
    await admitted(store, ask_of(one), ones)
    assert (await refused(store, ask_of(one), ones)).limit == ones[0]
    assert (await refused(store, ask_of(other, 101), others)).limit == of_all
    await admitted(store, ask_of(other, 100), others)
    assert (await refused(store, ask_of(other), others)).limit == of_team


async def test_a_soft_limit_warns_and_counts(store: Store) -> None:
    key = a_key()
    soft = Limit(scope=key_scope(key), measure=Measure.REQUESTS, amount=1, soft=True)
    assert (await admitted(store, an_ask(store, key), [soft])).warnings == ()
    assert (await admitted(store, an_ask(store, key), [soft])).warnings == (soft,)
    hard = Limit(scope=key_scope(key), measure=Measure.REQUESTS, amount=2)
    assert (await refused(store, an_ask(store, key), [hard])).used == 2


async def test_calls_under_way_are_few_at_a_time(store: Store) -> None:
    key = a_key()
    parallel = Limit(scope=key_scope(key), measure=Measure.PARALLEL, amount=2, window=FOR_GOOD)
    first, _ = [await admitted(store, an_ask(store, key), [parallel]) for _ in range(2)]
    refusal = await refused(store, an_ask(store, key), [parallel])
    assert (refusal.used, refusal.retry_after_ns) == (2, S)
    store.admission.settle(first, NO_USAGE, ZERO)
    await store.settled()
    await admitted(store, an_ask(store, key), [parallel])
    await refused(store, an_ask(store, key), [parallel])


async def test_a_budget_begins_anew_with_its_day(store: Store) -> None:
    key = a_key()
    budget = a_budget(key, 100, DAILY)
    reservation = await admitted(store, an_ask(store, key, bound=Money(100)), [budget])
    refusal = await refused(store, an_ask(store, key, bound=Money(1)), [budget])
    assert refusal.retry_after_ns is not None
    store.clock.ns += refusal.retry_after_ns
    await admitted(store, an_ask(store, key, bound=Money(60)), [budget])
    store.admission.settle(reservation, NO_USAGE, Money(90))
    assert await left_of(store, [budget]) == [40]


async def test_models_are_counted_together_and_end_users_apart(store: Store) -> None:
    key = a_key()
    scope = key_scope(key)
    models = Limit(scope=scope, measure=Measure.REQUESTS, amount=2, model="gpt-*")
    users = Limit(scope=scope, measure=Measure.REQUESTS, amount=1, end_user="*")
    limits = (models, users)
    await admitted(store, an_ask(store, key, model="gpt-4o", end_user="ann"), limits)
    bob = an_ask(store, key, model="gpt-5", end_user="bob")
    await admitted(store, bob, limits)
    carl = an_ask(store, key, model="gpt-4o", end_user="carl")
    assert (await refused(store, carl, limits)).limit == models
    again = an_ask(store, key, model="mistral-small", end_user="ann")
    assert (await refused(store, again, limits)).limit == users
    await admitted(store, an_ask(store, key, model="mistral-small"), limits)


async def test_calls_that_come_together_never_pass_a_limit_together(store: Store) -> None:
    key = a_key()
    _, tokens = limits = limits_of(key, 30, 100)
    decisions = await asyncio.gather(
        *(store.admission.admit(an_ask(store, key, 10), limits) for _ in range(40))
    )
    assert sum(isinstance(decision, Reservation) for decision, _ in decisions) == 10
    assert {d.limit for d, _ in decisions if isinstance(d, Refusal)} == {tokens}


async def test_one_keys_calls_are_nothing_to_another(store: Store) -> None:
    one, other = a_key(), a_key()
    await admitted(store, an_ask(store, one), limits_of(one, 1))
    await admitted(store, an_ask(store, other), limits_of(other, 1))
    await refused(store, an_ask(store, one), limits_of(one, 1))


async def test_a_call_expires_with_its_lease_unless_it_was_settled(store: Store) -> None:
    key = a_key()
    leases = (10 * S, 10 * S, 20 * S)
    short, settled, long = [
        await admitted(store, an_ask(store, key, lease_ns=lease)) for lease in leases
    ]
    store.admission.settle(settled, NO_USAGE, ZERO)
    store.clock.ns += 10 * S - 1
    assert await expired_of(store, key) == set()
    store.clock.ns += 1
    assert await expired_of(store, key) == {short.ask.request_id}
    assert short in await store.admission.expired()
    store.clock.ns += 10 * S
    assert await expired_of(store, key) == {short.ask.request_id, long.ask.request_id}
    assert store.admission.settle(short, NO_USAGE, ZERO) is not None
    assert await expired_of(store, key) == {long.ask.request_id}


async def test_a_call_that_outlives_the_window_is_still_held(store: Store) -> None:
    key = a_key()
    limits = limits_of(key, tpm=100)
    ask = an_ask(store, key, 100, lease_ns=100 * MINUTE_NS)
    reservation = await admitted(store, ask, limits)
    store.clock.ns += 50 * MINUTE_NS
    await admitted(store, an_ask(store, key, 70), limits)
    assert store.admission.settle(reservation, TokenUsage(output=20), ZERO) is not None
    assert await left_of(store, limits) == [30]


class Asks(NamedTuple):
    key: int
    tokens: int
    end_user: str | None
    amounts: tuple[int | None, ...]


Step = Asks | Settles | Passes
AMOUNT = st.none() | st.integers(0, 30)
KINDS = 8
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(
            Asks,
            key=st.integers(0, 1),
            tokens=st.integers(0, 35),
            end_user=st.sampled_from([None, "ann", "bob"]),
            amounts=st.tuples(*[AMOUNT] * KINDS),
        ),
        SETTLES,
        # Or a clock is set back.
        st.builds(Passes, PASSED_NS | st.integers(-90, 0).map(lambda seconds: seconds * S)),
    ),
    min_size=5,
    max_size=40,
)


# Of a window of seven seconds only.
ALONE = Asks(0, 5, None, (None, None, 30, *[None] * 5))
LATER, FIRST, SECOND = Passes(80 * S), Settles(0, 5), Settles(1, 5)


@dataclass(slots=True)
class Oracle:
    """The same calls, decided by the pure values alone."""

    team: UUID
    keys: tuple[KeyId, ...]
    books: Books = field(default_factory=Books)
    reservations: list[Reservation] = field(default_factory=list)

    def limits(self, step: Asks) -> list[Limit]:
        """The amounts change with every call: what was counted must not."""
        key, team = key_scope(self.keys[step.key]), team_scope(self.team)
        kinds: list[tuple[int, dict[str, Any]]] = [
            (1, {"scope": key, "measure": Measure.REQUESTS}),
            (1, {"scope": key, "measure": Measure.TOKENS}),
            (1, {"scope": team, "measure": Measure.TOKENS, "window": Sliding(seconds=7)}),
            (1, {"scope": team, "measure": Measure.PARALLEL, "window": FOR_GOOD}),
            (3, {"scope": key, "measure": Measure.MONEY, "window": DAILY}),
            (9, {"scope": team, "measure": Measure.MONEY, "window": FOR_GOOD}),
            (1, {"scope": team, "measure": Measure.REQUESTS, "end_user": "*"}),
            (1, {"scope": key, "measure": Measure.REQUESTS, "soft": True, "model": "m"}),
        ]
        return [
            Limit(amount=amount * factor, **what)
            for amount, (factor, what) in zip(step.amounts, kinds, strict=True)
            if amount is not None
        ]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
@example(steps=[ALONE, ALONE, LATER, FIRST, LATER, SECOND, Passes(-15 * S), ALONE])
async def test_decides_as_the_pure_books_do(store: Store, steps: list[Step]) -> None:
    oracle, latest_ns = Oracle(uuid4(), (a_key(), a_key())), store.clock.ns
    for step in steps:
        match step:
            case Passes(ns):
                # After a larger step back, memory reads what was written down. Here nothing is.
                store.clock.ns = max(store.clock.ns + ns, latest_ns - STEP_BACK_NS)
                latest_ns = max(store.clock.ns, latest_ns)
            case Asks():
                await ask_both(store, oracle, step)
            case Settles():
                settle_both(store, oracle, step)
                await store.settled()
        expired = {held.ask.request_id for held in oracle.books.expired(store.clock.now_ns())}
        found = [await expired_of(store, key) for key in oracle.keys]
        assert set().union(*found) == expired


async def ask_both(store: Store, oracle: Oracle, step: Asks) -> None:
    ask = an_ask(
        store,
        oracle.keys[step.key],
        step.tokens,
        Money(step.tokens),
        end_user=step.end_user,
        team=oracle.team,
    )
    limits = oracle.limits(step)
    now_ns = store.clock.now_ns()
    foreseen, before = await store.admission.foresee(ask, limits)
    assert list(before) == standings_of(oracle.books, ask, limits, now_ns)
    expected, oracle.books = oracle.books.admit(ask, limits, now_ns)
    assert foreseen == (expected if isinstance(expected, Refusal) else None)
    decision, standings = await store.admission.admit(ask, limits)
    assert decision == expected
    assert list(standings) == standings_of(oracle.books, ask, limits, now_ns)
    if isinstance(expected, Reservation):
        oracle.reservations.append(expected)


def standings_of(books: Books, ask: Ask, limits: Sequence[Limit], now_ns: int) -> list[Standing]:
    return [
        standing(c.limit, books.counters.get(c.counter_id) or c.limit.fresh(), now_ns)
        for c in counted(ask, limits)
    ]


def settle_both(store: Store, oracle: Oracle, step: Settles) -> None:
    """Any call that was ever admitted: also one that was settled before."""
    if not oracle.reservations:
        return
    now_ns = store.clock.now_ns()
    reservation = oracle.reservations[step.which % len(oracle.reservations)]
    usage, cost = TokenUsage(output=step.actual), Money(step.actual)
    expected, oracle.books = oracle.books.settle(reservation.ask.request_id, usage, cost, now_ns)
    told = store.admission.settle(reservation, usage, cost)
    assert (told is not None) is expected


async def test_memory_keeps_no_counters_of_keys_that_are_idle(memory: Store) -> None:
    admission = memory.admission
    assert isinstance(admission, MemoryAdmission)
    for number in range(1_000):
        key = KeyId(UUID(int=number))
        reservation = await admitted(memory, an_ask(memory, key), limits_of(key, 10))
        admission.settle(reservation, NO_USAGE, ZERO)
        memory.clock.ns += S
        # Those of a minute, of the one by which a clock may step back, and of a look at them all.
        assert len(admission) < 200
    memory.clock.ns += 2 * MINUTE_NS
    key = a_key()
    for _ in range(140):
        await refused(memory, an_ask(memory, key), limits_of(key, 0))
    assert len(admission) <= 2
