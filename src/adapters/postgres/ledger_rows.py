"""Postings as rows of the ledger, and how a batch of them is written."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.charges import charge_of
from ...domain.corrections import BookedCall, Correction, Posting, UsageDifference, belated
from ...domain.ledger import LedgerEntry, Outcome
from ...domain.money import Money
from ...domain.usage import TOKEN_CLASSES, TokenUsage
from .call_rows import row_of_call, told_of_call
from .columns import as_json, as_usd, column
from .postings import CHARGED, POST
from .tables.calls import LEDGER
from .texts import storable
from .times import to_ns, to_timestamp

_CHARGED = tuple(str(each.name) for each in CHARGED)
_charged = attrgetter(*_CHARGED)
_TOKENS = tuple(f"{name}_tokens" for name in TOKEN_CLASSES)
_tokens = attrgetter(*TOKEN_CLASSES)
_EXPIRED = (
    select(LEDGER)
    .where(
        tuple_(LEDGER.c.at, LEDGER.c.request_id).in_(
            select(column("at", LEDGER.c.at.type), column("id", LEDGER.c.request_id.type))
        ),
        LEDGER.c.outcome == Outcome.EXPIRED.value,
    )
    .order_by(LEDGER.c.at, LEDGER.c.request_id, LEDGER.c.number)
)


async def write(connection: AsyncConnection, postings: Sequence[Posting]) -> Sequence[Posting]:
    """Adds those that are not there yet, and only those to all sums. Returns them.

    A call that ends after it was taken for lost is there already: what it really used is added as
    a correction."""
    added = await _add(connection, postings)
    if len(added) < len(postings):
        there = {id(posting) for posting in added}
        known = [posting for posting in postings if id(posting) not in there]
        added = [*added, *await _add(connection, await _belated(connection, known))]
    return added


async def _belated(
    connection: AsyncConnection, postings: Sequence[Posting]
) -> Sequence[Correction]:
    ended = {
        entry.request_id: entry
        for entry in postings
        if isinstance(entry, LedgerEntry) and entry.outcome is not Outcome.EXPIRED
    }
    if not ended:
        return ()
    asked = {
        "at": [to_timestamp(entry.at_ns) for entry in ended.values()],
        "id": list(ended),
    }
    found = []
    rows = (await connection.execute(_EXPIRED, asked)).all()
    for _, of_one in groupby(rows, key=lambda row: (row.at, row.request_id)):
        call = call_of(of_one)
        if call is not None and (late := belated(call, ended[call.entry.request_id])) is not None:
            found.append(late)
    return found


async def _add(connection: AsyncConnection, postings: Sequence[Posting]) -> Sequence[Posting]:
    if not postings:
        return ()
    ordered = in_order(postings)
    found = await connection.exec_driver_sql(POST, (to_post(ordered), None))
    places = found.one().places
    return [ordered[place] for place in places]


def in_order(postings: Sequence[Posting]) -> Sequence[Posting]:
    """The same for whoever writes the same, and each once: what is told again comes too late."""
    by_id: dict[tuple[bytes, int], Posting] = {}
    for posting in postings:
        by_id.setdefault(_id(posting), posting)
    return [by_id[each] for each in sorted(by_id)]


def to_post(postings: Sequence[Posting]) -> str:
    """See `POST`."""
    return as_json(map(_row, postings))


def entry_of(row: Row[*tuple[Any, ...]]) -> LedgerEntry:
    return LedgerEntry(
        **told_of_call(row),
        duration_ns=row.duration_ns,
        first_byte_ns=row.first_byte_ns,
        provider=row.provider,
        upstream_model=row.upstream_model,
        outcome=Outcome(row.outcome),
        error=row.error,
        attempts=row.attempts,
        usage=TokenUsage.counting(_counts(row), row.service),
        cost=Money.from_usd(row.cost_usd),
        priced=row.priced,
        estimated=row.estimated,
    )


def call_of(rows: Iterable[Row[*tuple[Any, ...]]]) -> BookedCall | None:
    """Of the rows of one call, in the order of their numbers; None where there are none."""
    further = iter(rows)
    settled = next(further, None)
    if settled is None:
        return None
    call = BookedCall(entry=entry_of(settled))
    for row in further:
        correction = Correction(
            entry=call.entry,
            number=row.number,
            usage=UsageDifference({name: n for name, n in _counts(row).items() if n}),
            cost=Money.from_usd(row.cost_usd),
            priced=row.priced,
            estimated=row.estimated,
            was_priced=call.priced,
            was_estimated=call.estimated,
            reason=row.reason,
            posted_at_ns=to_ns(row.posted_at),
        )
        call = call.with_(correction)
    return call


def _counts(row: Row[*tuple[Any, ...]]) -> dict[str, int]:
    tokens = {name: row._mapping[f"{name}_tokens"] for name in TOKEN_CLASSES}
    return {**tokens, **(row.units or {})}


def _id(posting: Posting) -> tuple[bytes, int]:
    if isinstance(posting, Correction):
        return posting.entry.request_id.bytes, posting.number
    return posting.request_id.bytes, 0


def _row(posting: Posting) -> dict[str, object]:
    row = _row_of_correction(posting) if isinstance(posting, Correction) else _row_of(posting)
    row["cost_usd"] = as_usd(posting.cost.pico)
    row["priced"] = posting.priced
    row["estimated"] = posting.estimated
    row.update(zip(_CHARGED, _charged(charge_of(posting)), strict=True))
    return row


def _row_of_correction(correction: Correction) -> dict[str, object]:
    usage = correction.usage
    return {
        **_facts(correction.entry),
        "number": correction.number,
        **dict(zip(_TOKENS, map(usage.of, TOKEN_CLASSES), strict=True)),
        "units": usage.units or None,
        "service": correction.entry.usage.service,
        "reason": storable(correction.reason),
        "posted_at": to_timestamp(correction.posted_at_ns),
    }


def _row_of(entry: LedgerEntry) -> dict[str, object]:
    usage = entry.usage
    return {
        **_facts(entry),
        "number": 0,
        **dict(zip(_TOKENS, _tokens(usage), strict=True)),
        "units": dict(usage.units.by_name) or None,
        "service": usage.service,
    }


def _facts(entry: LedgerEntry) -> dict[str, object]:
    """What a correction has of its entry."""
    return {
        **row_of_call(entry),
        "duration_ns": entry.duration_ns,
        "first_byte_ns": entry.first_byte_ns,
        "provider": storable(entry.provider),
        "upstream_model": storable(entry.upstream_model),
        "outcome": entry.outcome.value,
        "error": storable(entry.error),
        "attempts": entry.attempts,
    }
