"""Ledger entries as rows, and how a batch of them is written."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from ...domain.ids import KeyId, RequestId
from ...domain.ledger import LedgerEntry, Outcome
from ...domain.money import ZERO, Money
from ...domain.usage import TOKEN_CLASSES, TokenUsage
from .tables import LEDGER, VIRTUAL_KEYS
from .times import to_ns, to_timestamp


def row_of_entry(entry: LedgerEntry) -> dict[str, object]:
    return {
        "request_id": entry.request_id,
        "key_id": entry.key_id,
        "at": to_timestamp(entry.at_ns),
        "duration_ns": entry.duration_ns,
        "first_byte_ns": entry.first_byte_ns,
        "model": _storable(entry.model),
        "provider": _storable(entry.provider),
        "upstream_model": _storable(entry.upstream_model),
        "outcome": entry.outcome.value,
        "error": _storable(entry.error),
        "attempts": entry.attempts,
        "streamed": entry.streamed,
        **{f"{name}_tokens": getattr(entry.usage, name) for name in TOKEN_CLASSES},
        "cost_usd": entry.cost.usd,
        "priced": entry.priced,
        "estimated": entry.estimated,
    }


def entry_of(row: Row[*tuple[Any, ...]]) -> LedgerEntry:
    return LedgerEntry(
        request_id=RequestId(row.request_id),
        key_id=KeyId(row.key_id),
        at_ns=to_ns(row.at),
        duration_ns=row.duration_ns,
        first_byte_ns=row.first_byte_ns,
        model=row.model,
        provider=row.provider,
        upstream_model=row.upstream_model,
        outcome=Outcome(row.outcome),
        error=row.error,
        attempts=row.attempts,
        streamed=row.streamed,
        usage=TokenUsage(**{name: row._mapping[f"{name}_tokens"] for name in TOKEN_CLASSES}),
        cost=Money.from_usd(row.cost_usd),
        priced=row.priced,
        estimated=row.estimated,
    )


def _column(name: str, of_type: TypeEngine[Any]) -> Any:
    """A parameter that takes a whole column at once, so that a batch of any size is one statement
    that Postgres has prepared already."""
    return func.unnest(bindparam(name, type_=ARRAY(of_type))).label(name)


_ADD_ENTRIES = (
    insert(LEDGER)
    .from_select(
        [column.name for column in LEDGER.c],
        select(*(_column(column.name, column.type) for column in LEDGER.c)),
    )
    .on_conflict_do_nothing(index_elements=[LEDGER.c.request_id])
    .returning(LEDGER.c.request_id)
)

_KEY = VIRTUAL_KEYS.c
# In order of their ids, so that two gateways that write at once never wait for each other in turn.
_LOCK_KEYS = (
    select(_KEY.id)
    .where(_KEY.id == func.any(bindparam("key_ids", type_=ARRAY(_KEY.id.type))))
    .order_by(_KEY.id)
    .with_for_update(key_share=True)
)
_SPENT = select(
    _column("key_id", _KEY.id.type),
    _column("cost_usd", _KEY.total_cost.type),
    _column("tokens", _KEY.total_tokens.type),
    _column("calls", _KEY.total_calls.type),
).subquery("spent")
_ADD_TO_TOTALS = (
    update(VIRTUAL_KEYS)
    .where(_KEY.id == _SPENT.c.key_id)
    .values(
        total_cost=_KEY.total_cost + _SPENT.c.cost_usd,
        total_tokens=_KEY.total_tokens + _SPENT.c.tokens,
        total_calls=_KEY.total_calls + _SPENT.c.calls,
    )
)


async def write(connection: AsyncConnection, entries: Sequence[LedgerEntry]) -> None:
    """Adds entries that are not there yet, and adds only those to the totals of their keys."""
    # In one order, so that two gateways that write the same entries never wait in turn.
    rows = [row_of_entry(entry) for entry in sorted(entries, key=lambda e: e.request_id.int)]
    columns = {column.name: [row[column.name] for row in rows] for column in LEDGER.c}
    by_id = {entry.request_id.bytes: entry for entry in entries}
    # Added up as Money: sums of Decimal are rounded at 28 digits.
    spent: dict[UUID, tuple[Money, int, int]] = {}
    for (added,) in await connection.execute(_ADD_ENTRIES, columns):
        entry = by_id[added.bytes]
        cost, tokens, calls = spent.get(entry.key_id, (ZERO, 0, 0))
        spent[entry.key_id] = (cost + entry.cost, tokens + entry.usage.total, calls + 1)
    if not spent:
        return
    await connection.execute(_LOCK_KEYS, {"key_ids": list(spent)})
    await connection.execute(
        _ADD_TO_TOTALS,
        {
            "key_id": list(spent),
            "cost_usd": [cost.usd for cost, _, _ in spent.values()],
            "tokens": [tokens for _, tokens, _ in spent.values()],
            "calls": [calls for _, _, calls in spent.values()],
        },
    )


def _storable(text: str | None) -> str | None:
    """Callers choose a model's name freely; what Postgres cannot keep as text must not cost the
    entry."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
