"""What is kept added up of the ledger, in the transaction that adds to it: the totals of each key,
and each day's sums."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.charges import NO_CHARGE, Charge, charge_of
from ...domain.corrections import Correction, Posting
from ...domain.ledger import LedgerEntry
from .columns import column
from .tables.calls import ROLLUPS
from .tables.organizations import VIRTUAL_KEYS
from .texts import storable
from .times import to_timestamp

_Heading = tuple[date, UUID, UUID | None, UUID | None, str, str, str]

# The key of an index has room for some 2,700 bytes.
LONGEST_NAME = 200

_KEY = VIRTUAL_KEYS.c
# In order of their ids, so that two gateways that write at once never wait for each other in turn.
_LOCK_KEYS = (
    select(_KEY.id)
    .where(_KEY.id == func.any(bindparam("key_ids", type_=ARRAY(_KEY.id.type))))
    .order_by(_KEY.id)
    .with_for_update(key_share=True)
)
_SPENT = select(
    column("key_id", _KEY.id.type),
    column("cost_usd", _KEY.total_cost.type),
    column("tokens", _KEY.total_tokens.type),
    column("calls", _KEY.total_calls.type),
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

_HEADING = ("day", "key_id", "team_id", "organization_id", "model", "provider", "tag")
_SUMS = tuple(each.name for each in ROLLUPS.c if each.name not in _HEADING)
_NEW_SUMS = insert(ROLLUPS).from_select(
    [each.name for each in ROLLUPS.c],
    select(*(column(each.name, each.type) for each in ROLLUPS.c)),
)
_ADD_TO_ROLLUPS = _NEW_SUMS.on_conflict_do_update(
    index_elements=[ROLLUPS.c[name] for name in _HEADING],
    set_={name: ROLLUPS.c[name] + _NEW_SUMS.excluded[name] for name in _SUMS},
)


async def add_to_totals(connection: AsyncConnection, postings: Iterable[Posting]) -> None:
    # Added up as Money: sums of Decimal are rounded at 28 digits.
    spent: dict[UUID, Charge] = {}
    for posting in postings:
        key_id = _entry(posting).key_id
        spent[key_id] = spent.get(key_id, NO_CHARGE) + charge_of(posting)
    await connection.execute(_LOCK_KEYS, {"key_ids": list(spent)})
    await connection.execute(
        _ADD_TO_TOTALS,
        {
            "key_id": list(spent),
            "cost_usd": [charge.cost.usd for charge in spent.values()],
            "tokens": [c.prompt_tokens + c.completion_tokens for c in spent.values()],
            "calls": [charge.calls for charge in spent.values()],
        },
    )


async def add_to_rollups(connection: AsyncConnection, postings: Iterable[Posting]) -> None:
    """After the totals, whose locks keep two gateways from adding to the same sums at once."""
    sums: dict[_Heading, Charge] = {}
    for posting in postings:
        heading = _heading(_entry(posting))
        sums[heading] = sums.get(heading, NO_CHARGE) + charge_of(posting)
    # In one order all the same: a key may be gone, and lock nothing.
    ordered = sorted(sums.items(), key=lambda item: tuple(map(str, item[0])))
    headings = zip(*(heading for heading, _ in ordered), strict=True)
    charges = [charge for _, charge in ordered]
    await connection.execute(
        _ADD_TO_ROLLUPS,
        {
            **dict(zip(_HEADING, map(list, headings), strict=True)),
            "calls": [charge.calls for charge in charges],
            "prompt_tokens": [charge.prompt_tokens for charge in charges],
            "completion_tokens": [charge.completion_tokens for charge in charges],
            "cost_usd": [charge.cost.usd for charge in charges],
            "unpriced_calls": [charge.unpriced_calls for charge in charges],
            "estimated_calls": [charge.estimated_calls for charge in charges],
        },
    )


def _entry(posting: Posting) -> LedgerEntry:
    return posting.entry if isinstance(posting, Correction) else posting


def _heading(entry: LedgerEntry) -> _Heading:
    return (
        to_timestamp(entry.at_ns).date(),
        entry.key_id,
        entry.team_id,
        entry.organization_id,
        sum_name(entry.model),
        sum_name(entry.provider),
        sum_name(entry.tag),
    )


def sum_name(text: str | None) -> str:
    """As it is told apart from others in the sums."""
    return (storable(text) or "")[:LONGEST_NAME]
