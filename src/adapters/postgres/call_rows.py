"""What the rows of a reservation and of an entry tell alike: which call it is, and whose."""

from typing import Any

from sqlalchemy import Row

from ...domain.admission import Ask
from ...domain.ledger import LedgerEntry
from .texts import storable
from .times import to_ns, to_timestamp


def row_of_call(call: Ask | LedgerEntry) -> dict[str, object]:
    return {
        "at": to_timestamp(call.at_ns),
        "request_id": call.request_id,
        "key_id": call.key_id,
        "team_id": call.team_id,
        "organization_id": call.organization_id,
        "end_user": storable(call.end_user),
        "tag": storable(call.tag),
        "model": storable(call.model),
        "streamed": call.streamed,
    }


def told_of_call(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    """As an Ask and a LedgerEntry take it."""
    return {
        "at_ns": to_ns(row.at),
        "request_id": row.request_id,
        "key_id": row.key_id,
        "team_id": row.team_id,
        "organization_id": row.organization_id,
        "end_user": row.end_user,
        "tag": row.tag,
        "model": row.model,
        "streamed": row.streamed,
    }
