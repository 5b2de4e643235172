"""One of several processes that ask one server at once. Run with a server's address, a tenant and
what to ask for, it prints how many calls were admitted."""

import asyncio
import json
import sys
from dataclasses import replace
from time import time_ns
from typing import Any
from uuid import UUID, uuid4

from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Ask, Reservation
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import KeyId, RequestId, TeamId
from langroute.domain.limits import Limit, Measure, Refusal, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import team_scope
from langroute.domain.periods import FOR_GOOD, Period
from langroute.domain.usage import TokenUsage
from valkey_fixtures import a_line

LEASE_NS = 600 * 10**9
# Long enough that nothing slides out of it meanwhile.
A_DAY = Sliding(seconds=24 * 3600)


def an_ask(team: UUID, *, tokens: int = 0, pico: int = 0, lease_ns: int = LEASE_NS) -> Ask:
    now_ns = time_ns()
    return Ask(
        request_id=RequestId(uuid4()),
        key_id=KeyId(uuid4()),
        team_id=TeamId(team),
        model="m",
        streamed=False,
        at_ns=now_ns,
        lease_until_ns=now_ns + lease_ns,
        input_bound=0,
        output_bound=tokens,
        cost_bound=Money(pico),
    )


def a_limit(team: UUID, measure: Measure, amount: int, window: Sliding | Period = A_DAY) -> Limit:
    if measure is Measure.PARALLEL:
        window = FOR_GOOD
    return Limit(scope=team_scope(team), measure=measure, amount=amount, window=window)


async def crowd(url: str, team: UUID, measure: Measure, amount: int, each: int, calls: int) -> int:
    """Half of those that are admitted settle at once, at what they reserved. On a busy machine a
    call may have waited for too long: then it is made again."""
    limit = a_limit(team, measure, amount)
    at_once = asyncio.Semaphore(40)
    async with a_line(url) as line:
        admission = RedisAdmission(line, SystemClock())

        async def call(number: int) -> bool:
            async with at_once:
                decision = await decided(admission, an_ask(team, tokens=each, pico=each), limit)
            if not isinstance(decision, Reservation):
                return False
            if number % 2:
                admission.settle(decision, TokenUsage(output=each), Money(each))
            return True

        return sum(await asyncio.gather(*(call(number) for number in range(calls))))


async def decided(admission: RedisAdmission, ask: Ask, limit: Limit) -> Reservation | Refusal:
    for _ in range(20):
        try:
            decision, _ = await admission.admit(
                replace(ask, request_id=RequestId(uuid4())), [limit]
            )
        except StoreUnavailable:
            continue
        return decision
    raise StoreUnavailable


def main(told: dict[str, Any]) -> None:
    told["team"], told["measure"] = UUID(told["team"]), Measure(told["measure"])
    sys.stdout.write(str(asyncio.run(crowd(**told))))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
