from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Claim, CounterId, Reservation
from ...domain.limits import Limit, Limits, Measure
from ...domain.rebuild import Tally, by_scope, claims_on
from ...domain.scopes import Scope, ScopeKind
from ...domain.verification import KeptCounter
from . import evidence_rows as rows
from .catalogue_rows import AnyRow
from .counter_names import stored_name
from .counter_rows import counter_of
from .history import settled_of
from .limit_rows import read_limits
from .reservation_rows import unsettled

Calls = Mapping[UUID, Sequence[Reservation]]


async def counters_that_differ(
    connection: AsyncConnection, now_ns: int, longest_call_ns: int, *, at_once: int, most: int
) -> tuple[Sequence[KeptCounter], int]:
    """From what the ledger and the calls under way say, as the transaction sees it, no more than
    `most`; and how many were looked at. Those of so many limits are in memory `at_once`."""
    limit_ids = (await connection.scalars(rows.COUNTED_LIMITS)).all()
    limits = await _limits(connection, set(limit_ids))
    calls = by_scope(await _open(connection))
    differing: list[KeptCounter] = []
    count = 0
    for first in range(0, len(limit_ids), at_once):
        some = limit_ids[first : first + at_once]
        kept = (await connection.execute(rows.COUNTERS, {"limit_ids": some})).all()
        count += len(kept)
        # Of one that was lifted, nobody knows what it should count.
        known = {limit_id: limits[limit_id] for limit_id in some if limit_id in limits}
        settled = await settled_of(connection, list(known.values()), now_ns, longest_call_ns)
        counters = _beside(kept, known, settled, calls)
        wrong = (counter for counter in counters if any(counter.differences(now_ns)))
        differing += islice(wrong, most - len(differing))
    return differing, count


def _beside(
    kept: Sequence[AnyRow],
    limits: Mapping[UUID, Limit],
    settled: Mapping[UUID, Sequence[Tally]],
    calls: Calls,
) -> Iterator[KeptCounter]:
    over: dict[tuple[UUID, str], list[Tally]] = defaultdict(list)
    for limit_id, tallies in settled.items():
        for tally in tallies:
            over[limit_id, stored_name(tally.name)].append(tally)
    under_way: dict[tuple[UUID, str], list[Claim]] = defaultdict(list)
    for counter, claims in claims_on(limits.values(), calls).items():
        under_way[counter.limit_id, stored_name(counter.name)] += claims
    for row in kept:
        limit = limits.get(row.limit_id)
        if limit is not None:
            yield KeptCounter(
                limit=limit,
                name=row.name,
                found=counter_of(limit, row),
                over=over[row.limit_id, row.name],
                under_way=under_way[row.limit_id, row.name],
            )


async def _limits(connection: AsyncConnection, wanted: set[UUID]) -> Mapping[UUID, Limit]:
    scopes: dict[Scope, Limits] = {
        Scope(kind=ScopeKind(row.kind), id=row.id): Limits(
            requests_per_minute=row.requests_per_minute, tokens_per_minute=row.tokens_per_minute
        )
        for row in await connection.execute(rows.SCOPES)
    }
    further = await read_limits(connection, scopes)
    return {
        limit.id: limit
        for scope, usual in scopes.items()
        for limit in (*usual.of(scope), *further[scope])
        if limit.id in wanted
    }


async def _open(connection: AsyncConnection) -> Sequence[Reservation]:
    """With what they have claimed later."""
    later: dict[UUID, list[Claim]] = defaultdict(list)
    for row in await connection.execute(rows.LATER_CLAIMS):
        later[row.request_id].append(
            Claim(
                counter=CounterId(row.limit_id, row.name),
                measure=Measure(row.measure),
                amount=int(row.amount),
                place=row.place,
            )
        )
    return [
        replace(held, claims=(*held.claims, *later[held.ask.request_id]))
        for held in await unsettled(connection)
    ]
