"""A process that asks for calls, all at once, and writes how many were admitted: for tests of
limits that several of them share."""

import asyncio
import json
import sys
from collections.abc import Sequence
from uuid import UUID

from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.system.clock import SystemClock
from langroute.adapters.system.entropy import SystemEntropy
from langroute.domain.admission import Ask, Reservation
from langroute.domain.ids import KeyId, OrganizationId, RequestId, TeamId
from langroute.domain.limits import MINUTE, Limit, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, organization_scope, team_scope
from langroute.domain.periods import Every, Period

CLOCK = SystemClock()
ENTROPY = SystemEntropy()
LEASE_NS = 600 * 10**9
MONTHLY = Period(every=Every.MONTH, zone="Europe/Berlin")
# Beyond what fits in 64 bits, as dear calls are in pico-dollars.
PRICE = 7 * 10**18


def limits_of(key: UUID, team: UUID, organization: UUID, measure: str, count: int) -> list[Limit]:
    """Three scopes, of which the team's, of the `measure`, has room for so many calls."""
    amount = {"requests": count, "tokens": 7 * count + 6, "money": (count + 1) * PRICE - 1}
    kind = Measure(measure)
    window = MONTHLY if kind is Measure.MONEY else MINUTE
    return [
        Limit(scope=key_scope(key), measure=Measure.REQUESTS, amount=10**6),
        Limit(scope=team_scope(team), measure=kind, amount=amount[measure], window=window),
        Limit(scope=organization_scope(organization), measure=Measure.TOKENS, amount=10**9),
    ]


def a_call(key: UUID, team: UUID | None = None, organization: UUID | None = None) -> Ask:
    now_ns = CLOCK.now_ns()
    return Ask(
        request_id=RequestId(ENTROPY.uuid()),
        key_id=KeyId(key),
        team_id=None if team is None else TeamId(team),
        organization_id=None if organization is None else OrganizationId(organization),
        model="m",
        streamed=False,
        at_ns=now_ns,
        lease_until_ns=now_ns + LEASE_NS,
        input_bound=3,
        output_bound=4,
        cost_bound=Money(PRICE),
    )


async def admitted_of(
    admission: PostgresAdmission, asks: Sequence[Ask], limits: Sequence[Limit]
) -> list[Reservation]:
    decisions = await asyncio.gather(*(admission.admit(ask, limits) for ask in asks))
    return [decision for decision, _ in decisions if isinstance(decision, Reservation)]


async def main(url: str, order: str) -> int:
    told = json.loads(order)
    team, organization = UUID(told["team"]), UUID(told["organization"])
    keys = [ENTROPY.uuid() for _ in range(4)]
    database = Database(url)
    admission = PostgresAdmission(database, CLOCK, within_s=60)
    try:
        found = await asyncio.gather(
            *(
                admitted_of(
                    admission,
                    [a_call(key, team, organization) for _ in range(told["calls"] // 4)],
                    limits_of(key, team, organization, told["measure"], told["count"]),
                )
                for key in keys
            )
        )
    finally:
        await admission.aclose()
        await database.aclose()
    return sum(map(len, found))


if __name__ == "__main__":
    print(asyncio.run(main(*sys.argv[1:])))  # noqa: T201
