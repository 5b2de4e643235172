"""Gateways that share a store, with the ledger behind them, as random interleavings drive them: by
their clock, and nothing is written before it is asked for."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from clocks import SteppedClock
from kept_ledger import KeptHistory, KeptLedger
from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.idle_counters import forget_counters
from langroute.adapters.postgres.ledger_rows import in_order, to_post
from langroute.adapters.postgres.postings import POST
from langroute.adapters.postgres.reservation_rows import unsettled
from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.connecting import connect
from langroute.adapters.redis.line import Line
from langroute.adapters.redis.orders import Order
from langroute.adapters.redis.scripts import SETTLE
from langroute.application.ports.admission import Admission
from langroute.domain.admission import Reservation
from langroute.domain.ids import RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit
from postgres_fixtures import type_in

# A busy machine is no failure of the law.
_WITHIN_S = 60
# Longer than any call that is never settled.
_LONGEST_CALL_S = 3600.0 * 24 * 400


class Stores(Protocol):
    """`gateways` are there until they are made anew."""

    gateways: list[Admission]

    async def start(self) -> None: ...

    async def admitted(self, reservation: Reservation) -> None:
        """Its reservation is durable."""
        ...

    def record(self, gateway: int, entry: LedgerEntry) -> None: ...

    async def write(self, gateway: int) -> None:
        """Returns once what the gateway has recorded is in the ledger, and counted."""
        ...

    async def under_way(self, team: UUID) -> Sequence[Reservation]:
        """As the ledger has it."""
        ...

    async def restart(self, gateway: int) -> None:
        """As after a kill: what was not written is lost."""
        ...

    async def lift(self, limit: Limit) -> None: ...

    async def empty(self) -> None:
        """The store loses all that it has."""
        ...

    async def aclose(self) -> None: ...


class InMemory:
    """One gateway, whose counters are lost with it."""

    def __init__(self, clock: SteppedClock) -> None:
        self.gateways: list[Admission] = []
        self._clock = clock
        self._ledger = KeptLedger()

    async def start(self) -> None:
        self._history = KeptHistory(self._ledger)
        admission = MemoryAdmission(self._clock, self._history, patience_s=_WITHIN_S)
        await admission.take_over()
        self.gateways = [admission]

    async def admitted(self, reservation: Reservation) -> None:
        self._ledger.held[reservation.ask.request_id] = reservation

    def record(self, gateway: int, entry: LedgerEntry) -> None:
        del gateway
        self._history.waiting.append(entry)

    async def write(self, gateway: int) -> None:
        del gateway
        self._history.write()

    async def under_way(self, team: UUID) -> Sequence[Reservation]:
        del team
        return self._ledger.under_way()

    async def restart(self, gateway: int) -> None:
        del gateway
        await self.start()

    async def lift(self, limit: Limit) -> None:
        """It notices by itself that calls come without it."""

    async def empty(self) -> None:
        await self.restart(0)

    async def aclose(self) -> None: ...


class InPostgres:
    """Two gateways, and the ledger is where the counters are."""

    def __init__(self, url: str, clock: SteppedClock) -> None:
        self.gateways: list[Admission] = []
        self._clock = clock
        self._database = Database(url)
        self._made: list[PostgresAdmission] = []
        self._waiting: list[list[LedgerEntry]] = [[], []]
        self._held: dict[RequestId, Reservation] = {}

    async def start(self) -> None:
        self._made = [self._admission() for _ in range(2)]
        self.gateways = [*self._made]

    async def admitted(self, reservation: Reservation) -> None:
        """The admission has kept it, but for its lease, which is by Postgres' own clock there."""
        self._held[reservation.ask.request_id] = reservation

    def record(self, gateway: int, entry: LedgerEntry) -> None:
        self._waiting[gateway].append(entry)

    async def write(self, gateway: int) -> None:
        entries, self._waiting[gateway] = self._waiting[gateway], []
        if entries:
            async with self._database.transaction() as connection:
                told = to_post(in_order(entries)), self._clock.ns
                await connection.exec_driver_sql(POST, told)

    async def under_way(self, team: UUID) -> Sequence[Reservation]:
        async with self._database.reading() as connection:
            return [self._held[each.ask.request_id] for each in await unsettled(connection, {team})]

    async def restart(self, gateway: int) -> None:
        await self._made[gateway].aclose()
        self._waiting[gateway] = []
        self._made[gateway] = self._admission()
        self.gateways = [*self._made]

    async def lift(self, limit: Limit) -> None:
        async with self._database.transaction() as connection:
            await forget_counters(connection, [limit.id])

    async def empty(self) -> None:
        """As an operator may, at any time."""
        await type_in(self._database, "delete from langroute.counters")

    async def aclose(self) -> None:
        for admission in self._made:
            await admission.aclose()
        await self._database.aclose()

    def _admission(self) -> PostgresAdmission:
        return PostgresAdmission(
            self._database,
            self._clock,
            connections=1,
            within_s=_WITHIN_S,
            longest_call_s=_LONGEST_CALL_S,
            now_ns=self._clock.now_ns,
        )


class _HeldBack(Line):
    """Settlements are told to the server behind their entries."""

    def __init__(self, url: str) -> None:
        super().__init__(lambda: connect(url, _WITHIN_S), within_s=_WITHIN_S)
        self.settlements: list[Order] = []

    def tell(self, order: Order) -> None:
        if order.script is SETTLE:
            self.settlements.append(order)
        else:
            super().tell(order)

    async def let_go(self) -> None:
        orders, self.settlements = self.settlements, []
        for order in orders:
            super().tell(order)
        await self.flush()


class InValkey:
    """Two gateways, with a line each."""

    def __init__(self, url: str, clock: SteppedClock) -> None:
        self.gateways: list[Admission] = []
        self._url = url
        self._clock = clock
        self._ledger = KeptLedger()
        self._histories = [KeptHistory(self._ledger) for _ in range(2)]
        self._lines: list[_HeldBack] = []

    async def start(self) -> None:
        self._lines = [self._line() for _ in range(2)]
        self.gateways = [self._admission(each) for each in range(2)]

    async def admitted(self, reservation: Reservation) -> None:
        self._ledger.held[reservation.ask.request_id] = reservation

    def record(self, gateway: int, entry: LedgerEntry) -> None:
        self._histories[gateway].waiting.append(entry)

    async def write(self, gateway: int) -> None:
        self._histories[gateway].write()
        await self._lines[gateway].let_go()

    async def under_way(self, team: UUID) -> Sequence[Reservation]:
        del team
        return self._ledger.under_way()

    async def restart(self, gateway: int) -> None:
        await self._lines[gateway].aclose()
        self._lines[gateway] = self._line()
        self._histories[gateway] = KeptHistory(self._ledger)
        self.gateways[gateway] = self._admission(gateway)

    async def lift(self, limit: Limit) -> None:
        """Set again, it has another `since`."""

    async def empty(self) -> None:
        for line in self._lines:
            await line.flush()
        async with connect(self._url) as client:
            await client.flushall()

    async def aclose(self) -> None:
        for line in self._lines:
            await line.aclose()

    def _line(self) -> _HeldBack:
        line = _HeldBack(self._url)
        line.start()
        return line

    def _admission(self, gateway: int) -> RedisAdmission:
        return RedisAdmission(
            self._lines[gateway],
            self._clock,
            self._histories[gateway],
            booked=self._ledger.booked,
            instead=self._clock,
        )


_memory: type[Stores] = InMemory
_postgres: type[Stores] = InPostgres
_valkey: type[Stores] = InValkey
