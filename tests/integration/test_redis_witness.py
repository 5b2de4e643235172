"""What verifications read of the server: a few counters at a time, each once, and all of them."""

from collections.abc import Sequence
from dataclasses import replace

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.history import PostgresHistory
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.connecting import connect
from langroute.adapters.redis.line import Line
from langroute.adapters.redis.names import counter_key, counter_name, tenant_of_key
from langroute.adapters.redis.orders import Order
from langroute.adapters.redis.witness import RedisWitness
from langroute.adapters.system.clock import SystemClock
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.domain.admission import Reservation
from langroute.domain.ids import KeyId, TeamId
from langroute.domain.keys import VirtualKey
from langroute.domain.limits import Limit, Limits, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import Team, team_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import TokenUsage
from redis_crowd import an_ask
from samples import ENTROPY, entry_of, new_key
from valkey_fixtures import Valkey

CLOCK = SystemClock()
END_USERS = 250


class CountedLine(Line):
    round_trips = 0

    async def _carry_out(self, batch: Sequence[Order]) -> list[Order]:
        self.round_trips += 1
        return await super()._carry_out(batch)


class KeysOneByOne(PostgresKeys):
    """Each on a page of its own."""

    async def page(self, after: KeyId | None, size: int) -> Sequence[VirtualKey]:
        return await super().page(after, min(size, 1))


async def _two_keys_of_a_team(database: Database) -> tuple[TeamId, list[VirtualKey]]:
    id_ = TeamId(ENTROPY.uuid())
    budget = Limit(
        scope=team_scope(id_), measure=Measure.MONEY, amount=10**20, window=FOR_GOOD, end_user="*"
    )
    team = Team(id=id_, name="crowd", limits=(budget,))
    await PostgresOrganizations(database).put_team(team)
    keys = []
    for _ in range(2):
        key = new_key(limits=Limits(requests_per_minute=10**6), team=team)
        await PostgresKeys(database).put(key)
        stored = await PostgresKeys(database).by_id(key.id)
        assert stored is not None
        keys.append(stored)
    return id_, keys


async def test_every_counter_is_read_once_and_many_in_one_round_trip(
    database: Database, valkey_to_stop: Valkey
) -> None:
    team_id, keys = await _two_keys_of_a_team(database)
    line = CountedLine(lambda: connect(valkey_to_stop.url))
    line.start()
    async with PostgresLedger(database) as ledger:
        reservations = PostgresReservations(database)
        reservations.start()
        history = PostgresHistory(database, ledger.at_rest, 900.0)
        admission = RedisAdmission(line, CLOCK, history)
        for number in range(END_USERS):
            key = keys[number % 2]
            ask = replace(
                an_ask(key.id, pico=100, tokens=50),
                key_id=key.id,
                team_id=team_id,
                organization_id=None,
                end_user=f"user {number}",
            )
            decision, _ = await admission.admit(ask, key.all_limits)
            assert isinstance(decision, Reservation)
            reservations.hold(decision)
            admission.settle(decision, TokenUsage(output=3), Money(7))
            ledger.record(entry_of(ask, TokenUsage(output=3), Money(7)))
        await ledger.flush()
        await admission.flush()
        verify = VerifyLedger([RedisWitness(line, KeysOneByOne(database), history, CLOCK)])
        before = line.round_trips

        verdict = await verify()

        assert verdict.differences == []
        # The team's, by end user and without; and the requests of each key.
        assert verdict.looked_at == {"counters in Redis": END_USERS + 1 + 2}
        assert line.round_trips - before < 15

        (budget,) = (limit for limit in keys[0].all_limits if limit.is_budget)
        tenant = tenant_of_key(keys[0]).hex
        async with valkey_to_stop.client() as client:
            wrong = counter_key(tenant, counter_name(budget, "user 77"))
            await client.hincrby(wrong, "spent", 5)
        (difference,) = (await verify()).differences
        assert "'user 77'" in difference.which
        await reservations.aclose()
    await line.aclose()
