"""Admission in Postgres, by a test's clock, with what the ledger does for it."""

from collections.abc import Sequence

from sqlalchemy import text

from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.times import to_timestamp
from langroute.application.ports.admission import Admission
from langroute.application.ports.clock import Clock
from langroute.domain.admission import Ask, Reservation
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Refusal, Standing
from langroute.domain.money import Money
from langroute.domain.usage import TokenUsage
from samples import entry_of

# As in what writes the ledger, whose partitions these tests' times are not in.
_SETTLE = text("""
    select langroute.settle(
        cast(:now_ns as bigint), cast(:ats as timestamptz[]), cast(:ids as uuid[]),
        cast(:none as boolean[]), cast(:tokens as numeric[]), cast(:pico as numeric[])
    )
""")


class SettledLater:
    """As behind a gateway: settlements wait, and are counted with the ledger's next batch."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.postgres = PostgresAdmission(database, clock, within_s=10, now_ns=clock.now_ns)
        self._database = database
        self._clock = clock
        self._waiting: list[LedgerEntry] = []

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        return await self.postgres.admit(ask, limits)

    async def foresee(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Refusal | None, Sequence[Standing]]:
        return await self.postgres.foresee(ask, limits)

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money
    ) -> Sequence[Standing] | None:
        standings = self.postgres.settle(reservation, usage, cost)
        if standings is not None:
            self._waiting.append(entry_of(reservation.ask, usage, cost))
        return standings

    async def expired(self) -> Sequence[Reservation]:
        return await self.postgres.expired()

    async def written(self) -> None:
        """Returns once everything that was settled is counted."""
        entries, self._waiting = self._waiting, []
        if entries:
            async with self._database.transaction() as connection:
                await connection.execute(
                    _SETTLE,
                    {
                        "now_ns": self._clock.now_ns(),
                        "ats": [to_timestamp(entry.at_ns) for entry in entries],
                        "ids": [entry.request_id for entry in entries],
                        "none": [False for _ in entries],
                        "tokens": [entry.usage.total for entry in entries],
                        "pico": [entry.cost.pico for entry in entries],
                    },
                )

    async def aclose(self) -> None:
        await self.postgres.aclose()


_: type[Admission] = SettledLater
