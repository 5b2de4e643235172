"""Reservations as rows, how a batch of them is written, and which of them are lost."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Row,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Ask, Claim, CounterId, Reservation
from ...domain.limits import Measure
from ...domain.money import Money
from .call_rows import row_of_call, told_of_call
from .columns import as_json, as_usd, recordset
from .counter_names import HASHED, stored_name
from .tables.calls import LEDGER, RESERVATIONS, SWEEPS
from .tables.schema import SCHEMA
from .times import to_ns, to_timestamp

_ROW = RESERVATIONS.c
_MOST_TOKENS = 2**63 - 1
_MOST_PICO = 10**30 - 1

# So long a lease lasts at the least when it is written (migration 0013): none appears that has run
# out before the last sweep.
_LATE = timedelta(seconds=60)
_AT_ONCE = 1_000
_SWEEP = "reservations"

_NAMES = ", ".join(each.name for each in _ROW)
WRITE = f"""
    insert into {SCHEMA}.{RESERVATIONS.name} ({_NAMES}) select {_NAMES} from {recordset(_ROW)}
    on conflict (at, request_id) do nothing
"""  # noqa: S608  (names of columns)
"""Adds those that are not there yet; takes what `to_write` gives."""

# One clock for all: a gateway's own may be ahead of that of the one whose call it is.
_NOW = func.coalesce(bindparam("now", type_=_ROW.lease_until.type), func.now())
# Looked up for each by itself: an offset of nothing keeps Postgres from reading all of the ledger,
# which it takes for faster where it does not know how few there are.
_IS_SETTLED = exists(
    select(LEDGER.c.at)
    .where(LEDGER.c.at == _ROW.at, LEDGER.c.request_id == _ROW.request_id)
    .correlate(RESERVATIONS)
    .offset(literal_column("0"))
)
_SWEPT = bindparam("swept", type_=_ROW.lease_until.type)
# A plan for this very moment finds the leases by their index, however old the table is.
_READ_SWEPT = select(
    SWEEPS.c.until, func.set_config("plan_cache_mode", "force_custom_plan", True)
).where(SWEEPS.c.what == _SWEEP)
_LOST = (
    select(RESERVATIONS)
    .where(_ROW.lease_until >= _SWEPT, _ROW.lease_until <= _NOW, ~_IS_SETTLED)
    .order_by(_ROW.lease_until)
    .limit(_AT_ONCE)
)
# Leases of before the last sweep are settled: so far back nobody has to look.
UNSETTLED = select(RESERVATIONS).where(_ROW.lease_until >= _SWEPT, ~_IS_SETTLED)
_SCOPES = func.any(bindparam("scopes", type_=ARRAY(_ROW.key_id.type)))
_UNSETTLED_OF = UNSETTLED.where(
    or_(_ROW.key_id == _SCOPES, _ROW.team_id == _SCOPES, _ROW.organization_id == _SCOPES)
)
_SWEPT_NOW = func.least(
    bindparam("until", type_=_ROW.lease_until.type), func.now() - literal(_LATE)
)
_KEEP_SWEPT = (
    update(SWEEPS)
    .where(SWEEPS.c.what == _SWEEP, SWEEPS.c.until < _SWEPT_NOW - literal(_LATE))
    .values(until=_SWEPT_NOW)
)


def to_write(reservations: Iterable[Reservation], store: str) -> str:
    """`store` is who counts them."""
    return as_json(_row(each, store) for each in reservations)


async def lost(connection: AsyncConnection, now: datetime | None) -> Sequence[Reservation]:
    """Those whose lease has run out, the first of them, without an entry."""
    asked = {"swept": await _swept(connection), "now": now}
    return [reservation_of(row) for row in await connection.execute(_LOST, asked)]


async def unsettled(
    connection: AsyncConnection, scopes: Collection[UUID] | None = None
) -> Sequence[Reservation]:
    """All without an entry, whether their lease has run out or not; or those of some keys, teams
    and organizations."""
    asked: dict[str, object] = {"swept": await _swept(connection)}
    query = UNSETTLED
    if scopes is not None:
        query, asked["scopes"] = _UNSETTLED_OF, list(scopes)
    return [reservation_of(row) for row in await connection.execute(query, asked)]


async def _swept(connection: AsyncConnection) -> datetime:
    until: datetime = (await connection.execute(_READ_SWEPT)).scalar_one()
    return until


async def keep_swept(connection: AsyncConnection, until: datetime | None) -> None:
    """Whatever lease ended before then is settled: the next sweep need not look so far back. None
    is by now."""
    await connection.execute(_KEEP_SWEPT, {"until": until})


def reservation_of(row: Row[*tuple[Any, ...]]) -> Reservation:
    ask = Ask(
        **told_of_call(row),
        lease_until_ns=to_ns(row.lease_until),
        input_bound=row.input_bound,
        output_bound=row.output_bound,
        cost_bound=Money.from_usd(row.cost_bound_usd),
        priced=row.priced,
    )
    return Reservation(ask=ask, claims=tuple(map(_claim, row.claims)))


def _row(reservation: Reservation, store: str) -> dict[str, object]:
    ask = reservation.ask
    return {
        **row_of_call(ask),
        "lease_until": to_timestamp(ask.lease_until_ns),
        "input_bound": min(ask.input_bound, _MOST_TOKENS),
        "output_bound": min(ask.output_bound, _MOST_TOKENS),
        "cost_bound_usd": as_usd(min(ask.cost_bound.pico, _MOST_PICO)),
        "priced": ask.priced,
        "claims": [_claimed(each) for each in reservation.claims],
        "store": store,
    }


def _claimed(claim: Claim) -> dict[str, object]:
    limit_id, name = claim.counter
    return {
        "limit": limit_id,
        "name": stored_name(name),
        "measure": claim.measure,
        "amount": str(claim.amount),  # which may have more than 64 bits
        "place": claim.place,
    }


def _claim(told: dict[str, Any]) -> Claim:
    name = told["name"]
    if not name.startswith(HASHED):
        name = unquote(name, errors="surrogatepass")
    return Claim(
        counter=CounterId(UUID(told["limit"]), name),
        measure=Measure(told["measure"]),
        amount=int(told["amount"]),
        place=int(told["place"]),
    )
