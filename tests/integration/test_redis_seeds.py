"""A server that came back with nothing in it, or a limit that is new: what was counted before is
told from the ledger."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import time_ns
from uuid import UUID, uuid4

import pytest

from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.system.clock import SystemClock
from langroute.application.ports.history import History, Past
from langroute.domain.admission import Ask, Reservation
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import RequestId
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import ZERO, Money
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.rebuild import Tally, place_of
from langroute.domain.usage import NO_USAGE, TokenUsage
from redis_crowd import a_limit, an_ask
from valkey_fixtures import Valkey, a_line

DAILY = Period(every=Every.DAY, zone="Europe/Berlin")


@dataclass(slots=True)
class ToldHistory:
    """Says what it is given, and how often it was asked."""

    settled: dict[UUID, Sequence[Tally]] = field(default_factory=dict)
    under_way: Sequence[Reservation] = ()
    over: Collection[RequestId] = ()
    is_away: bool = False
    asked: int = 0

    @asynccontextmanager
    async def past(
        self, limits: Sequence[Limit], now_ns: int, doubted: Collection[Ask] = ()
    ) -> AsyncIterator[Past]:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable
        yield Past(settled=self.settled, over=self.over)

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        return self.under_way


_: type[History] = ToldHistory


@dataclass(slots=True)
class SlowHistory(ToldHistory):
    """Is never told to the end."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        del now_ns
        self.begun.set()
        await asyncio.Event().wait()
        return ()


@asynccontextmanager
async def an_admission(valkey: Valkey, history: History) -> AsyncIterator[RedisAdmission]:
    async with a_line(valkey.url) as line:
        yield RedisAdmission(line, SystemClock(), history)


async def admitted(admission: RedisAdmission, ask: Ask, *limits: Limit) -> Reservation:
    decision, _ = await admission.admit(ask, limits)
    assert isinstance(decision, Reservation), decision
    return decision


async def used_of(admission: RedisAdmission, team: UUID, *limits: Limit) -> list[int]:
    await admission.flush()
    _, standings = await admission.foresee(an_ask(team), limits)
    return [standing.used for standing in standings]


def spent(limit: Limit, amount: int) -> dict[UUID, Sequence[Tally]]:
    return {limit.id: [Tally(place=place_of(limit, time_ns()), amount=amount)]}


async def test_a_limit_that_is_new_to_the_server_counts_what_the_ledger_has(
    valkey_server: Valkey,
) -> None:
    team = uuid4()
    day = a_limit(team, Measure.MONEY, 10**20, DAILY)
    good = a_limit(team, Measure.MONEY, 10**20, FOR_GOOD)
    tokens = a_limit(team, Measure.TOKENS, 1000)
    told = {**spent(day, 10**19 + 1), **spent(good, 5), **spent(tokens, 990)}
    history = ToldHistory(settled=told)
    async with an_admission(valkey_server, history) as admission:
        assert await used_of(admission, team, day, good, tokens) == [10**19 + 1, 5, 990]
        refusal, _ = await admission.admit(an_ask(team, tokens=11), [tokens])
        assert not isinstance(refusal, Reservation)
        await admitted(admission, an_ask(team, tokens=10, pico=7), day, good, tokens)
        assert await used_of(admission, team, day, good, tokens) == [10**19 + 8, 12, 1000]
    assert history.asked == 1


async def test_calls_that_are_under_way_are_held_and_settle_once(valkey_server: Valkey) -> None:
    team = uuid4()
    tokens = a_limit(team, Measure.TOKENS, 1000)
    parallel = a_limit(team, Measure.PARALLEL, 5)
    here, there, over = (an_ask(team, tokens=100) for _ in range(3))
    history = ToldHistory()
    async with an_admission(valkey_server, history) as admission:
        # Before there was any limit.
        mine = await admitted(admission, here)
        history.under_way = [Reservation(ask=ask) for ask in (here, there, over)]
        history.over = [over.request_id]
        assert await used_of(admission, team, tokens, parallel) == [200, 2]
        admission.settle(mine, TokenUsage(output=1), ZERO)
        assert await used_of(admission, team, tokens, parallel) == [101, 1]


async def test_after_a_restart_of_the_server_nothing_is_forgiven(valkey_to_stop: Valkey) -> None:
    team = uuid4()
    tokens = a_limit(team, Measure.TOKENS, 1000)
    history = ToldHistory()
    async with an_admission(valkey_to_stop, history) as admission:
        mine = await admitted(admission, an_ask(team, tokens=100), tokens)
        done = await admitted(admission, an_ask(team, tokens=100), tokens)
        admission.settle(done, TokenUsage(output=40), ZERO)
        await admission.flush()
        await valkey_to_stop.kill()
        await valkey_to_stop.start()
        history.settled = spent(tokens, 40)
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await used_of(admission, team, tokens) == [140]
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.01)
        admission.settle(mine, TokenUsage(output=7), ZERO)
        assert await used_of(admission, team, tokens) == [47]


async def test_many_calls_that_need_one_limit_read_its_past_once(valkey_server: Valkey) -> None:
    team = uuid4()
    tokens = a_limit(team, Measure.TOKENS, 100)
    history = ToldHistory(settled=spent(tokens, 50))
    async with an_admission(valkey_server, history) as admission:
        calls = (admission.admit(an_ask(team, tokens=10), [tokens]) for _ in range(20))
        decisions = [decision for decision, _ in await asyncio.gather(*calls)]
    assert sum(isinstance(decision, Reservation) for decision in decisions) == 5
    assert history.asked == 1


async def test_limits_that_are_new_at_once_are_read_together_whosever_they_are(
    valkey_server: Valkey,
) -> None:
    """As many new keys as come while the ledger is read wait for the next reading."""
    tokens = [a_limit(uuid4(), Measure.TOKENS, 1000) for _ in range(100)]
    told = {limit.id: spent(limit, 990 - at)[limit.id] for at, limit in enumerate(tokens)}
    history = ToldHistory(settled=told)
    async with an_admission(valkey_server, history) as admission:
        asks = [an_ask(limit.scope.id, tokens=1) for limit in tokens]
        calls = (admission.admit(ask, [limit]) for ask, limit in zip(asks, tokens, strict=True))
        came_to = await asyncio.gather(*calls)
    assert [standings[0].used for _, standings in came_to] == [991 - at for at in range(100)]
    assert history.asked <= 2


async def test_nobody_waits_for_a_ledger_that_is_read_no_more(valkey_server: Valkey) -> None:
    history = SlowHistory()
    team = uuid4()
    async with an_admission(valkey_server, history) as admission:
        limit = a_limit(team, Measure.TOKENS, 1000)
        waiting = asyncio.create_task(admission.admit(an_ask(team), [limit]))
        await history.begun.wait()
        await admission.aclose()
        with pytest.raises(StoreUnavailable):
            await waiting


async def test_without_the_ledger_nobody_is_admitted_to_a_limit_that_is_new(
    valkey_server: Valkey,
) -> None:
    team = uuid4()
    tokens = a_limit(team, Measure.TOKENS, 1000)
    history = ToldHistory(is_away=True)
    async with an_admission(valkey_server, history) as admission:
        with pytest.raises(StoreUnavailable):
            await admission.admit(an_ask(team), [tokens])
        history.is_away = False
        await admitted(admission, an_ask(team), tokens)


async def test_a_call_of_elsewhere_that_the_ledger_tells_of_is_not_counted_again(
    valkey_server: Valkey,
) -> None:
    team = uuid4()
    new = a_limit(team, Measure.MONEY, 10**20)
    known = a_limit(team, Measure.REQUESTS, 10)
    history = ToldHistory()
    async with an_admission(valkey_server, history) as admission:
        await admitted(admission, an_ask(team), known)
        ask = an_ask(team, pico=50)
        history.settled, history.over = spent(new, 30), [ask.request_id]
        await admission.count(ask, [new, known])
        assert await used_of(admission, team, new, known) == [30, 2]
        admission.settle(Reservation(ask=ask), NO_USAGE, Money(30))
        assert await used_of(admission, team, new, known) == [30, 2]


@dataclass(slots=True)
class KeptLedger:
    """What two processes have written down: every call as it is settled, at once."""

    limit: Limit
    places: list[int] = field(default_factory=list)
    over: set[RequestId] = field(default_factory=set)
    processes: list[RedisAdmission] = field(default_factory=list)

    def settle(self, admission: RedisAdmission, reservation: Reservation) -> None:
        admission.settle(reservation, NO_USAGE, ZERO)
        self.places.append(reservation.claims[0].place)
        self.over.add(reservation.ask.request_id)

    @asynccontextmanager
    async def past(
        self, limits: Sequence[Limit], now_ns: int, doubted: Collection[Ask] = ()
    ) -> AsyncIterator[Past]:
        tallies = [Tally(place=place, amount=1) for place in self.places]
        yield Past(settled={self.limit.id: tallies}, over=set(self.over))

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        return [held for process in self.processes for held in process._open_here()]


async def test_a_server_that_is_killed_under_load_never_lets_a_limit_be_passed(
    valkey_to_stop: Valkey,
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.REQUESTS, 300)
    ledger = KeptLedger(limit)
    admitted_calls = 0

    async def calls(admission: RedisAdmission) -> None:
        nonlocal admitted_calls
        while True:
            try:
                decision, _ = await admission.admit(an_ask(team), [limit])
            except StoreUnavailable:
                await asyncio.sleep(0.01)
                continue
            if not isinstance(decision, Reservation):
                return
            admitted_calls += 1
            await asyncio.sleep(0.02)
            ledger.settle(admission, decision)

    async with (
        an_admission(valkey_to_stop, ledger) as one,
        an_admission(valkey_to_stop, ledger) as other,
    ):
        ledger.processes = [one, other]
        crowd = [asyncio.create_task(calls(one if n % 2 else other)) for n in range(6)]
        for _ in range(3):
            await asyncio.sleep(0.15)
            await valkey_to_stop.kill()
            await valkey_to_stop.start()
        async with asyncio.timeout(60):
            await asyncio.gather(*crowd)
        assert admitted_calls == 300
        assert await used_of(one, team, limit) == [300]
