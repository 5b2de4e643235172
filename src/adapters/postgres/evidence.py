from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.evidence import Evidence, Witness
from ...domain.admission import Claim, CounterId, Reservation
from ...domain.limits import Limit, Limits, Measure
from ...domain.money import Money
from ...domain.rate_window import NS_PER_S
from ...domain.rebuild import Tally, claim_on
from ...domain.scopes import Scope, ScopeKind
from ...domain.verification import Difference, KeptCounter, KeptSums
from . import evidence_rows as rows
from .counter_names import stored_name
from .counter_rows import counter_of
from .database import Database
from .history import settled_of
from .limit_rows import read_limits
from .reservation_rows import unsettled

# A ledger of years is read once, from end to end.
_WITHIN_S = 600.0
_MOST = 1000
_ROLLED_UP = ("calls", "prompt_tokens", "completion_tokens", "unpriced_calls", "estimated_calls")


class PostgresWitness:
    """All of it in one snapshot: what is written meanwhile is not seen, neither here nor there."""

    def __init__(self, database: Database, longest_call_s: float) -> None:
        self._database = database
        self._longest_call_ns = int(longest_call_s * NS_PER_S)

    async def evidence(self) -> Evidence:
        async with self._database.reading(within_s=_WITHIN_S) as connection:
            now_ns = (await connection.execute(rows.NOW)).scalar_one()
            counters, count = await self._counters(connection, now_ns)
            counts = (await connection.execute(rows.COUNTS)).one()._mapping
            return Evidence(
                now_ns=now_ns,
                sums=[*await _sums(connection)],
                counters=counters,
                alone=[*await _alone(connection)],
                looked_at={**counts, "counters": count},
            )

    async def _counters(
        self, connection: AsyncConnection, now_ns: int
    ) -> tuple[Sequence[KeptCounter], int]:
        kept = (await connection.execute(rows.COUNTERS)).all()
        limits = await _limits(connection, {row.limit_id for row in kept})
        settled = await settled_of(connection, list(limits.values()), now_ns, self._longest_call_ns)
        over: dict[tuple[UUID, str], list[Tally]] = defaultdict(list)
        for limit_id, tallies in settled.items():
            for tally in tallies:
                over[limit_id, stored_name(tally.name)].append(tally)
        under_way: dict[tuple[UUID, str], list[Claim]] = defaultdict(list)
        for claim in _claims(limits.values(), await _open(connection)):
            under_way[claim.counter.limit_id, stored_name(claim.counter.name)].append(claim)
        return [
            KeptCounter(
                limit=limits[row.limit_id],
                name=row.name,
                found=counter_of(limits[row.limit_id], row),
                over=over[row.limit_id, row.name],
                under_way=under_way[row.limit_id, row.name],
            )
            for row in kept
            if row.limit_id in limits  # of one that was lifted, nobody knows what it should count
        ], len(kept)


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


def _claims(limits: Iterable[Limit], calls: Sequence[Reservation]) -> Iterable[Claim]:
    of_scope: dict[UUID, list[Reservation]] = defaultdict(list)
    for held in calls:
        for scope in (held.ask.key_id, held.ask.team_id, held.ask.organization_id):
            if scope is not None:
                of_scope[scope].append(held)
    for limit in limits:
        for held in of_scope[limit.scope.id]:
            claim = claim_on(limit, held)
            if claim is not None:
                yield claim


async def _sums(connection: AsyncConnection) -> Iterable[KeptSums]:
    since = {"first_day": (await connection.execute(rows.FIRST_DAY)).scalar(), "most": _MOST}
    totals = (await connection.execute(rows.TOTALS, since)).all()
    by_day = (await connection.execute(rows.ROLLUPS_THAT_DIFFER, since)).all()
    return [
        *(_kept("key", f"{row.id}", ("calls", "tokens"), row) for row in totals),
        *(_kept("sum of a day", _heading(row), _ROLLED_UP, row) for row in by_day),
    ]


def _kept(kind: str, which: str, counts: Sequence[str], row: Any) -> KeptSums:
    return KeptSums(
        kind=kind,
        which=which,
        expected={
            **{name: int(getattr(row, f"expected_{name}")) for name in counts},
            "cost": Money.from_usd(row.expected_cost_usd).pico,
        },
        found={
            **{name: int(getattr(row, name)) for name in counts},
            "cost": Money.from_usd(row.cost_usd).pico,
        },
    )


def _heading(row: Any) -> str:
    told = {
        "key": row.key_id,
        "team": row.team_id,
        "organization": row.organization_id,
        "model": row.model,
        "provider": row.provider,
        "tag": row.tag,
    }
    return f"{row.day} " + ", ".join(f"{name} {value}" for name, value in told.items() if value)


async def _alone(connection: AsyncConnection) -> Iterable[Difference]:
    found = []
    for kind, query, expected in (
        ("entry", rows.ENTRIES_ALONE, "a reservation of its call"),
        ("reservation", rows.RESERVATIONS_ALONE, "an entry, since its lease has run out"),
        ("correction", rows.CORRECTIONS_ALONE, "the entry that it corrects"),
    ):
        for row in await connection.execute(query, {"most": _MOST}):
            which = f"req_{row.request_id.hex} of {row.at.isoformat()}"
            found.append(
                Difference(
                    kind=kind, which=which, what="counterpart", expected=expected, found="nothing"
                )
            )
    return found


_: type[Witness] = PostgresWitness
