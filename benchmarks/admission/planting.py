"""Counters of many keys at once, as a call of each would have left them."""

from collections.abc import Iterator, Sequence
from itertools import islice

from redis.asyncio import Redis

from langroute.adapters.postgres.database import Database
from langroute.adapters.redis.names import counter_key, counter_name, tenant_of
from langroute.adapters.redis.words import words_of
from langroute.application.ports.admission import Admission
from langroute.domain.admission import Reservation
from langroute.domain.limits import Limit
from langroute.domain.rate_window import RateWindow
from langroute.domain.scopes import ScopeKind

from .scene import COST, USAGE, Call

_AT_ONCE = 2_000
_COLUMNS = (
    *("limit_id", "name", "length_ns", "numbers", "amounts", "total", "oldest"),
    *("began_ns", "ends_ns", "spent", "reserved"),
)


async def plant_in_memory(admission: Admission, calls: Sequence[Call]) -> None:
    for ask, limits in calls:
        decision, _ = await admission.admit(ask, limits)
        assert isinstance(decision, Reservation)
        admission.settle(decision, USAGE, COST)


async def plant_in_postgres(database: Database, calls: Sequence[Call]) -> None:
    connection = await database.connect()
    rows = [
        (limit.id, "", w.length_ns, w.numbers, w.amounts, w.total, w.oldest, 0, None, 0, 0)
        for limit, w in _windows(calls)
    ]
    await connection.copy_records_to_table(
        "counters", schema_name="langroute", records=rows, columns=_COLUMNS
    )
    await connection.execute("analyze langroute.counters")
    await connection.close()


async def plant_in_valkey(url: str, calls: Sequence[Call]) -> None:
    tenant = tenant_of(calls[0].ask).hex
    windows = _windows(calls)
    async with Redis.from_url(url) as client:
        while part := [*islice(windows, _AT_ONCE)]:
            pipe = client.pipeline(transaction=False)
            for limit, window in part:
                key = counter_key(tenant, counter_name(limit, ""))
                ttl, words = words_of(window, calls[0].ask.at_ns)
                pipe.execute_command("HSET", key, *words)
                pipe.execute_command("PEXPIRE", key, ttl)
            await pipe.execute()


def _windows(calls: Sequence[Call]) -> Iterator[tuple[Limit, RateWindow]]:
    """Of the keys' own limits; what they share is there with the first call."""
    for ask, limits in calls:
        for limit in limits:
            if limit.scope.kind is ScopeKind.KEY:
                window = RateWindow().admit(limit.amount, USAGE.total, ask.at_ns)[1]
                yield limit, window
