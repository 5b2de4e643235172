from sqlalchemy import BigInteger, Column, DateTime, FetchedValue, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from .schema import METADATA

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=FetchedValue()),
    Column("actor", Text, nullable=False, server_default=FetchedValue()),
    Column("role", Text, nullable=False, server_default=FetchedValue()),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("reason", Text),
    Index("audit_at", "at"),
    Index("audit_name", "name", "at"),
)
