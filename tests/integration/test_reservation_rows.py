"""What is written of a reservation is read again as it was."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from asyncpg.pgproto import pgproto

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.reservation_rows import unsettled
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.adapters.postgres.reservations_found import found
from langroute.domain.admission import Claim, CounterId, Reservation
from langroute.domain.ids import RequestId
from langroute.domain.limits import Measure
from langroute.domain.money import Money
from samples import a_reservation


async def _written(database: Database, reservation: Reservation) -> Reservation:
    reservations = PostgresReservations(database)
    reservations.start()
    reservations.hold(reservation)
    async with asyncio.timeout(10):
        await reservations.flush()
    await reservations.aclose()
    async with database.reading() as connection:
        (found,) = await unsettled(connection)
    return found


async def test_all_of_it(database: Database) -> None:
    """Whatever callers call themselves, and however much is at stake; ids from the cache have been
    read from Postgres, and are of another type."""
    limit_id = uuid4()
    held = Reservation(
        ask=a_reservation(
            key_id=pgproto.UUID(str(uuid4())),
            team_id=pgproto.UUID(str(uuid4())),
            organization_id=uuid4(),
            end_user='Zoë "\\ 🦊',
            tag="a,b;{}",
            model="gpt-4o-mini",
            cost_bound=Money(10**29 + 7),
        ).ask,
        claims=(
            Claim(CounterId(limit_id), Measure.MONEY, 10**29 + 7, 2**62),
            Claim(
                CounterId(pgproto.UUID(str(uuid4())), 'Zoë "\\ 🦊%\0\ud800'), Measure.TOKENS, 30, 0
            ),
        ),
    )

    assert await _written(database, held) == held


async def test_names_that_postgres_cannot_keep_do_not_cost_the_row(database: Database) -> None:
    held = a_reservation(end_user="a\0b", tag="\ud800", model="m\0")

    found = await _written(database, held)

    assert (found.ask.end_user, found.ask.tag, found.ask.model) == ("a\ufffdb", "?", "m\ufffd")
    assert found.ask.request_id == held.ask.request_id


async def test_more_than_can_be_counted_is_the_most_that_can(database: Database) -> None:
    held = a_reservation(input_bound=2**70, output_bound=2**63, cost_bound=Money(10**40))

    found = await _written(database, held)

    assert (found.ask.input_bound, found.ask.output_bound) == (2**63 - 1, 2**63 - 1)
    assert found.ask.cost_bound == Money(10**30 - 1)


async def test_of_very_many_calls_those_that_were_admitted_are_found(database: Database) -> None:
    there = a_reservation()
    await _written(database, there)
    asked = [replace(there.ask, request_id=RequestId(uuid4())) for _ in range(20_000)]

    async with database.reading() as connection:
        (admitted,) = await found(connection, [*asked, there.ask])

    assert admitted.ask.request_id == there.ask.request_id
