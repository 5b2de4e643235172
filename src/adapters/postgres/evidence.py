from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.evidence import Evidence, Witness
from ...domain.money import Money
from ...domain.rate_window import NS_PER_S
from ...domain.verification import Difference, KeptSums
from . import evidence_rows as rows
from .database import Database
from .evidence_counters import counters_that_differ

# A ledger of years is read once, from end to end.
_WITHIN_S = 600.0
_MOST = 1000
_LIMITS_AT_ONCE = 1000
_ROLLED_UP = ("calls", "prompt_tokens", "completion_tokens", "unpriced_calls", "estimated_calls")


class PostgresWitness:
    """All of it in one snapshot: what is written meanwhile is not seen, neither here nor there."""

    def __init__(
        self, database: Database, longest_call_s: float, *, limits_at_once: int = _LIMITS_AT_ONCE
    ) -> None:
        self._database = database
        self._longest_call_ns = int(longest_call_s * NS_PER_S)
        self._limits_at_once = limits_at_once

    async def evidence(self) -> Evidence:
        async with self._database.reading(within_s=_WITHIN_S) as connection:
            now_ns = (await connection.execute(rows.NOW)).scalar_one()
            counters, count = await counters_that_differ(
                connection,
                now_ns,
                self._longest_call_ns,
                at_once=self._limits_at_once,
                most=_MOST,
            )
            counts = (await connection.execute(rows.COUNTS)).one()._mapping
            return Evidence(
                now_ns=now_ns,
                sums=[*await _sums(connection)],
                counters=counters,
                alone=[*await _alone(connection)],
                looked_at={**counts, "counters": count},
            )


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
