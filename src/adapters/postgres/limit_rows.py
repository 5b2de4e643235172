"""Limits as rows: one table for those of organizations, teams and keys."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.limits import Limit, Measure, Sliding
from ...domain.money import Money
from ...domain.periods import FOR_GOOD, Every, Period
from ...domain.scopes import Scope, ScopeKind
from .catalogue_rows import MALFORMED, AnyRow
from .idle_counters import forget_counters, recount_later
from .tables.organizations import LIMITS

_log = logging.getLogger(__name__)

_ROW = LIMITS.c
_CARRIERS = {
    ScopeKind.ORGANIZATION: _ROW.organization_id,
    ScopeKind.TEAM: _ROW.team_id,
    ScopeKind.KEY: _ROW.key_id,
}


def _is_any_of(column: ColumnElement[UUID | None]) -> ColumnElement[bool]:
    """One parameter, however many ids there are: one statement, that Postgres has prepared."""
    return column == func.any(bindparam(f"{column.key}s", type_=ARRAY(Uuid)))


_READ = select(LIMITS).where(or_(*map(_is_any_of, _CARRIERS.values()))).order_by(_ROW.id)


async def read_limits(
    connection: AsyncConnection, scopes: Collection[Scope]
) -> Mapping[Scope, tuple[Limit, ...]]:
    """Every limit of these, in the order in which they were added.

    One that cannot be read must not stop every call, nor be lost without a word: until somebody
    puts it right, it is a limit of no requests at all, for the calls that it counts.
    """
    asked = {
        f"{column.key}s": [scope.id for scope in scopes if scope.kind is kind]
        for kind, column in _CARRIERS.items()
    }
    found: dict[Scope, dict[UUID, Limit]] = defaultdict(dict)
    for row in await connection.execute(_READ, asked):
        limit = _limit_of(row)
        present = found[limit.scope].get(limit.id, limit)
        # Only where one of them cannot be read are there two that count the same.
        found[limit.scope][limit.id] = min(limit, present, key=_leniency)
    return {scope: tuple(found[scope].values()) if scope in found else () for scope in scopes}


async def put_limits(
    connection: AsyncConnection,
    scope: Scope,
    limits: Iterable[Limit],
    *,
    is_new: bool = False,
    others: Sequence[UUID] = (),
) -> None:
    """Makes these the only limits of the scope, whose row must be locked. What stays the same is
    not touched: also a row that cannot be read, as long as what stands for it is put again.

    One that goes, or comes, has no counter: it is made of what the ledger says when it is needed.
    Also where it comes: a gateway that had not heard of its going may have made one meanwhile. A
    scope that `is_new` has no calls yet that gateways could have failed to count.

    `others` are its limits that have come or gone elsewhere: all counters are locked in one order.
    """
    carrier = _CARRIERS[scope.kind]
    wanted = {limit.id: limit for limit in limits}
    there = (await connection.execute(select(LIMITS).where(carrier == scope.id))).all()
    gone: list[UUID] = []
    for row in there:
        present = _limit_of(row)
        new = wanted.pop(present.id, None)
        which = _ROW.id == row.id
        if new is None:
            await connection.execute(delete(LIMITS).where(which))
            gone.append(present.id)
        elif new != present:
            allowed = {"amount": _amount(new), "soft": new.soft}
            await connection.execute(update(LIMITS).where(which).values(allowed))
    for limit in wanted.values():
        added = insert(LIMITS).values({carrier.key: scope.id, **_row_of(limit)})
        await connection.execute(
            # It may have been typed into psql just now.
            added.on_conflict_do_update(
                constraint="limits_what_they_count",
                set_={name: added.excluded[name] for name in ("amount", "soft")},
            )
        )
    if not is_new:
        await recount_later(connection, list(wanted))
    await forget_counters(connection, [*gone, *wanted, *others])


def _limit_of(row: AnyRow) -> Limit:
    scope = _scope_of(row)
    try:
        return Limit(
            scope=scope,
            measure=Measure(row.measure),
            amount=_amount_of(row),
            window=_window_of(row),
            model=row.model,
            end_user=row.end_user,
            tag=row.tag,
            soft=row.soft,
            since=row.id,
        )
    except MALFORMED as error:
        does = "warns of" if row.soft else "refuses"
        _log.warning("limit %s of the %s %s each of its calls: %s", row.id, scope, does, error)
        return Limit(
            scope=scope,
            measure=Measure.REQUESTS,
            amount=0,
            window=FOR_GOOD,
            # The database lets nothing stand in these that cannot be read.
            model=row.model,
            end_user=row.end_user,
            tag=row.tag,
            soft=row.soft,
        )


def _scope_of(row: AnyRow) -> Scope:
    for kind, column in _CARRIERS.items():
        carrier = row._mapping[column.key]
        if carrier is not None:
            return Scope(kind=kind, id=carrier)
    raise AssertionError("the database lets no limit be without a carrier")


def _window_of(row: AnyRow) -> Sliding | Period:
    if row.window_s is not None:
        return Sliding(seconds=row.window_s)
    return Period(every=Every(row.period), zone=row.zone)


def _amount_of(row: AnyRow) -> int:
    amount: Decimal = row.amount
    return Money.from_usd(amount).pico if row.measure == Measure.MONEY else int(amount)


def _amount(limit: Limit) -> Decimal:
    return Money(limit.amount).usd if limit.is_budget else Decimal(limit.amount)


def _row_of(limit: Limit) -> dict[str, object]:
    return {
        "measure": str(limit.measure),
        "amount": _amount(limit),
        **_columns_of(limit.window),
        "model": limit.model,
        "end_user": limit.end_user,
        "tag": limit.tag,
        "soft": limit.soft,
    }


def _columns_of(window: Sliding | Period) -> dict[str, object]:
    if isinstance(window, Sliding):
        return {"window_s": window.seconds, "period": None, "zone": "UTC"}
    # Where nothing begins anew, no zone says when.
    zone = "UTC" if window.every is Every.NEVER else window.zone
    return {"window_s": None, "period": str(window.every), "zone": zone}


def _leniency(limit: Limit) -> tuple[bool, int]:
    return limit.soft, limit.amount
