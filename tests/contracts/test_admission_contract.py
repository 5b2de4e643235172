"""What every Admission must do: the same as the pure `Account`, which is the oracle here.

A store joins by adding a fixture that makes a `Store`, and the fixture's name to STORES. One that
goes by its server's clock must be told in tests to go by `Store.clock` instead.
"""

import asyncio
from dataclasses import dataclass
from typing import NamedTuple, Self
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langroute.adapters.memory.admission import MemoryAdmission
from langroute.application.ports.admission import Admission
from langroute.application.ports.clock import Clock
from langroute.domain.admission import Account, Ask, Reservation
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.limits import SLOT_NS, WINDOW_NS, LimitKind, Limits, Refusal
from langroute.domain.money import ZERO, Money
from langroute.domain.usage import NO_USAGE, TokenUsage

STORES = ("memory",)
S = 10**9
LEASE_NS = 90 * S


class SteppedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = 1_800_000_000 * S

    def now_ns(self) -> int:
        return self.ns

    def monotonic_ns(self) -> int:
        return self.ns


_clock: type[Clock] = SteppedClock


@dataclass(frozen=True, slots=True)
class Store:
    admission: Admission
    clock: SteppedClock


@pytest.fixture
def memory() -> Store:
    clock = SteppedClock()
    return Store(MemoryAdmission(clock), clock)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.getfixturevalue(request.param)
    return made


def a_key() -> KeyId:
    """One that no other test uses, so that a store may be shared."""
    return KeyId(uuid4())


def an_ask(
    store: Store, key: KeyId, tokens: int = 0, bound: Money = ZERO, lease_ns: int = LEASE_NS
) -> Ask:
    now_ns = store.clock.now_ns()
    return Ask(
        request_id=RequestId(uuid4()),
        key_id=key,
        model="m",
        streamed=False,
        at_ns=now_ns,
        lease_until_ns=now_ns + lease_ns,
        input_bound=tokens // 2,
        output_bound=tokens - tokens // 2,
        cost_bound=bound,
    )


async def admitted(
    store: Store, key: KeyId, limits: Limits, tokens: int = 0, lease_ns: int = LEASE_NS
) -> Reservation:
    ask = an_ask(store, key, tokens, lease_ns=lease_ns)
    decision, _ = await store.admission.admit(ask, limits)
    assert isinstance(decision, Reservation)
    assert decision.ask == ask
    return decision


async def refused(store: Store, key: KeyId, limits: Limits, tokens: int = 0) -> Refusal:
    decision, _ = await store.admission.admit(an_ask(store, key, tokens), limits)
    assert isinstance(decision, Refusal)
    return decision


async def expired_of(store: Store, key: KeyId) -> set[RequestId]:
    return {
        held.ask.request_id for held in await store.admission.expired() if held.ask.key_id == key
    }


async def test_refuses_the_call_that_would_exceed_a_limit(store: Store) -> None:
    key, limits = a_key(), Limits(requests_per_minute=2, tokens_per_minute=100)
    await admitted(store, key, limits, 60)
    refusal = await refused(store, key, limits, 41)
    assert (refusal.kind, refusal.used, refusal.asked) == (LimitKind.TOKENS, 60, 41)
    await admitted(store, key, limits, 40)
    refusal = await refused(store, key, limits, 0)
    assert (refusal.kind, refusal.limit) == (LimitKind.REQUESTS, 2)


async def test_a_refused_call_takes_nothing(store: Store) -> None:
    key, limits = a_key(), Limits(requests_per_minute=1, tokens_per_minute=100)
    await refused(store, key, limits, 101)
    await admitted(store, key, limits, 100)
    assert await expired_of(store, key) == set()
    store.clock.ns += LEASE_NS
    assert len(await expired_of(store, key)) == 1


async def test_whoever_waits_as_long_as_told_is_admitted(store: Store) -> None:
    key, limits = a_key(), Limits(requests_per_minute=1)
    await admitted(store, key, limits)
    store.clock.ns += 10 * S
    wait_ns = (await refused(store, key, limits)).retry_after_ns
    assert wait_ns is not None
    store.clock.ns += wait_ns - 1
    await refused(store, key, limits)
    store.clock.ns += 1
    await admitted(store, key, limits)


async def test_tells_what_a_decision_leaves(store: Store) -> None:
    key, limits = a_key(), Limits(requests_per_minute=5, tokens_per_minute=100)
    decision, remaining = await store.admission.admit(an_ask(store, key, 30), limits)
    assert isinstance(decision, Reservation)
    assert (remaining.requests, remaining.tokens) == (4, 70)
    assert await store.admission.remaining(key, limits) == remaining
    _, remaining = await store.admission.admit(an_ask(store, key, 71), limits)
    assert (remaining.requests, remaining.tokens) == (4, 70)
    untouched = await store.admission.remaining(a_key(), limits)
    assert (untouched.requests, untouched.tokens) == (5, 100)
    assert (untouched.reset_requests_ns, untouched.reset_tokens_ns) == (0, 0)


async def test_settles_exactly_once(store: Store) -> None:
    key, limits = a_key(), Limits(tokens_per_minute=100)
    reservation = await admitted(store, key, limits, 80)
    assert store.admission.settle(reservation, TokenUsage(output=30), Money(5))
    for usage in (TokenUsage(output=30), NO_USAGE, TokenUsage(output=5_000)):
        assert not store.admission.settle(reservation, usage, Money(5))
    assert (await store.admission.remaining(key, limits)).tokens == 70


async def test_what_was_never_admitted_does_not_settle(store: Store) -> None:
    key, limits = a_key(), Limits(tokens_per_minute=100)
    ask = an_ask(store, key, 50)
    stranger = Reservation(ask=ask, slot=store.clock.now_ns() // SLOT_NS)
    assert not store.admission.settle(stranger, NO_USAGE, ZERO)
    assert (await store.admission.remaining(key, limits)).tokens == 100


async def test_a_debt_blocks_until_it_has_slid_out(store: Store) -> None:
    key, limits = a_key(), Limits(tokens_per_minute=100)
    reservation = await admitted(store, key, limits, 10)
    store.clock.ns += 30 * S
    store.admission.settle(reservation, TokenUsage(output=500), ZERO)
    store.clock.ns += WINDOW_NS
    assert (await refused(store, key, limits, 1)).used == 490
    store.clock.ns += SLOT_NS
    await admitted(store, key, limits, 100)


async def test_calls_that_come_together_never_pass_the_limit_together(store: Store) -> None:
    key, limits = a_key(), Limits(requests_per_minute=30, tokens_per_minute=100)
    decisions = await asyncio.gather(
        *(store.admission.admit(an_ask(store, key, 10), limits) for _ in range(40))
    )
    assert sum(isinstance(decision, Reservation) for decision, _ in decisions) == 10
    assert {decision.kind for decision, _ in decisions if isinstance(decision, Refusal)} == {
        LimitKind.TOKENS
    }


async def test_one_keys_calls_are_nothing_to_another(store: Store) -> None:
    one, other, limits = a_key(), a_key(), Limits(requests_per_minute=1)
    await admitted(store, one, limits)
    await admitted(store, other, limits)
    await refused(store, one, limits)


async def test_a_call_expires_with_its_lease_unless_it_was_settled(store: Store) -> None:
    key, limits = a_key(), Limits()
    short = await admitted(store, key, limits, lease_ns=10 * S)
    settled = await admitted(store, key, limits, lease_ns=10 * S)
    long = await admitted(store, key, limits, lease_ns=20 * S)
    store.admission.settle(settled, NO_USAGE, ZERO)
    store.clock.ns += 10 * S - 1
    assert await expired_of(store, key) == set()
    store.clock.ns += 1
    assert await expired_of(store, key) == {short.ask.request_id}
    assert short in await store.admission.expired()
    store.clock.ns += 10 * S
    assert await expired_of(store, key) == {short.ask.request_id, long.ask.request_id}
    assert store.admission.settle(short, NO_USAGE, ZERO)
    assert await expired_of(store, key) == {long.ask.request_id}


async def test_a_call_that_outlives_the_window_is_still_held(store: Store) -> None:
    key, limits = a_key(), Limits(tokens_per_minute=100)
    reservation = await admitted(store, key, limits, 100, lease_ns=100 * WINDOW_NS)
    store.clock.ns += 50 * WINDOW_NS
    await admitted(store, key, limits, 70)
    assert store.admission.settle(reservation, TokenUsage(output=20), ZERO)
    assert (await store.admission.remaining(key, limits)).tokens == 30


class Asks(NamedTuple):
    key: int
    tokens: int
    limits: Limits


class Settles(NamedTuple):
    which: int
    actual: int


class Passes(NamedTuple):
    ns: int


Step = Asks | Settles | Passes
LIMITS = st.builds(
    Limits,
    requests_per_minute=st.none() | st.integers(0, 5),
    tokens_per_minute=st.none() | st.integers(0, 30),
)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(Asks, key=st.integers(0, 1), tokens=st.integers(0, 35), limits=LIMITS),
        st.builds(Settles, which=st.integers(0, 50), actual=st.integers(0, 50)),
        st.builds(
            Passes,
            ns=st.integers(0, 2 * SLOT_NS)
            | st.integers(0, 8).map(lambda tens: tens * 10 * S)
            | st.sampled_from([WINDOW_NS - 1, WINDOW_NS, WINDOW_NS + SLOT_NS]),
        ),
    ),
    min_size=5,
    max_size=40,
)


@dataclass(slots=True)
class Oracle:
    """The same calls, decided by the pure values alone."""

    keys: tuple[KeyId, ...]
    accounts: dict[KeyId, Account]
    reservations: list[Reservation]

    @classmethod
    def of(cls, *keys: KeyId) -> Self:
        return cls(keys, {key: Account() for key in keys}, [])


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_decides_as_the_pure_account_does(store: Store, steps: list[Step]) -> None:
    oracle = Oracle.of(a_key(), a_key())
    for step in steps:
        match step:
            case Passes(ns):
                store.clock.ns += ns
            case Asks():
                await ask_both(store, oracle, step)
            case Settles():
                await settle_both(store, oracle, step)
        for key in oracle.keys:
            held = oracle.accounts[key].ledger.expired(store.clock.now_ns())
            assert await expired_of(store, key) == set(held)


async def ask_both(store: Store, oracle: Oracle, step: Asks) -> None:
    now_ns = store.clock.now_ns()
    key = oracle.keys[step.key]
    ask = an_ask(store, key, step.tokens, bound=Money(step.tokens))
    expected, account = oracle.accounts[key].admit(ask, step.limits, now_ns)
    oracle.accounts[key] = account
    decision, remaining = await store.admission.admit(ask, step.limits)
    assert decision == expected
    assert remaining == account.window.remaining(step.limits, now_ns)
    assert remaining == await store.admission.remaining(key, step.limits)
    if isinstance(expected, Reservation):
        oracle.reservations.append(expected)


async def settle_both(store: Store, oracle: Oracle, step: Settles) -> None:
    """Any call that was ever admitted: also one that was settled before."""
    if not oracle.reservations:
        return
    now_ns = store.clock.now_ns()
    reservation = oracle.reservations[step.which % len(oracle.reservations)]
    key = reservation.ask.key_id
    usage, cost = TokenUsage(output=step.actual), Money(step.actual)
    expected, account = oracle.accounts[key].settle(reservation, usage, cost, now_ns)
    oracle.accounts[key] = account
    assert store.admission.settle(reservation, usage, cost) is expected
    everything = Limits(requests_per_minute=10**6, tokens_per_minute=10**6)
    remaining = await store.admission.remaining(key, everything)
    assert remaining == account.window.remaining(everything, now_ns)


async def test_memory_keeps_no_account_of_keys_that_are_idle(memory: Store) -> None:
    admission = memory.admission
    assert isinstance(admission, MemoryAdmission)
    open_call = await admitted(memory, a_key(), Limits())
    for number in range(1_000):
        reservation = await admitted(memory, KeyId(UUID(int=number)), Limits())
        admission.settle(reservation, NO_USAGE, ZERO)
        memory.clock.ns += S
        assert len(admission) < 70
    memory.clock.ns += 2 * WINDOW_NS
    for _ in range(70):
        await refused(memory, KeyId(UUID(int=0)), Limits(requests_per_minute=0))
    assert len(admission) <= 2
    assert admission.settle(open_call, NO_USAGE, ZERO)
