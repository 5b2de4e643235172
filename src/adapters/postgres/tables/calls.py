from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from ....domain.usage import TOKEN_CLASSES
from .schema import METADATA


def _ask() -> tuple[Column[Any], ...]:
    """What is known of a call when it is asked for, as a reservation and as an entry have it."""
    return (
        Column("at", DateTime(timezone=True), primary_key=True),
        Column("request_id", Uuid, primary_key=True),
        Column("key_id", Uuid, nullable=False),
        Column("team_id", Uuid),
        Column("organization_id", Uuid),
        Column("end_user", Text),
        Column("tag", Text),
        Column("model", Text, nullable=False),
        Column("streamed", Boolean, nullable=False),
    )


LEDGER = Table(
    "ledger",
    METADATA,
    *_ask(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("duration_ns", BigInteger, nullable=False),
    Column("first_byte_ns", BigInteger),
    Column("provider", Text),
    Column("upstream_model", Text),
    Column("outcome", Text, nullable=False),
    Column("error", Text),
    Column("attempts", BigInteger, nullable=False),
    *(Column(f"{name}_tokens", BigInteger, nullable=False) for name in TOKEN_CLASSES),
    Column("cost_usd", Numeric(30, 12), nullable=False),
    Column("service", Text),
    Column("units", JSONB(none_as_null=True)),
    Column("priced", Boolean, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("reason", Text),
    Column("posted_at", DateTime(timezone=True)),
    Index("ledger_key_id_at", "key_id", "at"),
    Index("ledger_team_id_at", "team_id", "at", postgresql_where="team_id is not null"),
    Index(
        "ledger_organization_id_at",
        "organization_id",
        "at",
        postgresql_where="organization_id is not null",
    ),
    Index("ledger_request_id", "request_id"),
)

ALL_TOKENS = f"({' + '.join(f'{name}_tokens' for name in TOKEN_CLASSES)})"
"""Of an entry, or of the difference that a correction is."""

ROLLUPS = Table(
    "rollups",
    METADATA,
    Column("day", Date, nullable=False),
    Column("key_id", Uuid, nullable=False, index=True),
    Column("team_id", Uuid, index=True),
    Column("organization_id", Uuid, index=True),
    Column("model", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cost_usd", Numeric(30, 12), nullable=False),
    Column("unpriced_calls", BigInteger, nullable=False),
    Column("estimated_calls", BigInteger, nullable=False),
    UniqueConstraint(
        *("day", "key_id", "team_id", "organization_id", "model", "provider", "tag"),
        name="rollups_heading",
        postgresql_nulls_not_distinct=True,
    ),
)

RESERVATIONS = Table(
    "reservations",
    METADATA,
    *_ask(),
    Column("lease_until", DateTime(timezone=True), nullable=False),
    Column("input_bound", BigInteger, nullable=False),
    Column("output_bound", BigInteger, nullable=False),
    Column("cost_bound_usd", Numeric(30, 12), nullable=False),
    Column("priced", Boolean, nullable=False),
    Column("claims", JSONB, nullable=False),
    Column("store", Text, nullable=False),
    Index("reservations_lease_until", "lease_until"),
)

SWEEPS = Table(
    "sweeps",
    METADATA,
    Column("what", Text, primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
)

IDEMPOTENT_REPLIES = Table(
    "idempotent_replies",
    METADATA,
    Column("key_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("owner", Uuid, nullable=False),
    Column("lease_until", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("status", BigInteger),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("streamed", Boolean),
    Index("idempotent_replies_expires_at", "expires_at"),
)
