from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from .schema import METADATA

ORGANIZATIONS = Table(
    "organizations",
    METADATA,
    Column("id", Uuid, primary_key=True, server_default=FetchedValue()),
    Column("name", Text, nullable=False, unique=True),
    Column("allowed_models", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

TEAMS = Table(
    "teams",
    METADATA,
    Column("id", Uuid, primary_key=True, server_default=FetchedValue()),
    Column("organization_id", Uuid, ForeignKey(ORGANIZATIONS.c.id)),
    Column("name", Text, nullable=False),
    Column("allowed_models", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint(
        "organization_id",
        "name",
        name="teams_organization_name",
        postgresql_nulls_not_distinct=True,
    ),
)

VIRTUAL_KEYS = Table(
    "virtual_keys",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("requests_per_minute", BigInteger),
    Column("tokens_per_minute", BigInteger),
    Column("allowed_models", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("total_cost", Numeric(30, 12), nullable=False),
    Column("total_tokens", BigInteger, nullable=False),
    Column("total_calls", BigInteger, nullable=False),
    Column("team_id", Uuid, ForeignKey(TEAMS.c.id)),
    Index("virtual_keys_team_id", "team_id"),
)

LIMITS = Table(
    "limits",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organization_id", Uuid, ForeignKey(ORGANIZATIONS.c.id, ondelete="CASCADE")),
    Column("team_id", Uuid, ForeignKey(TEAMS.c.id, ondelete="CASCADE")),
    Column("key_id", Uuid, ForeignKey(VIRTUAL_KEYS.c.id, ondelete="CASCADE")),
    Column("measure", Text, nullable=False),
    Column("amount", Numeric(30, 12), nullable=False),
    Column("window_s", BigInteger),
    Column("period", Text),
    Column("zone", Text, nullable=False),
    Column("model", Text),
    Column("end_user", Text),
    Column("tag", Text),
    Column("soft", Boolean, nullable=False),
    UniqueConstraint(
        *("organization_id", "team_id", "key_id", "measure", "window_s", "period", "zone"),
        *("model", "end_user", "tag"),
        name="limits_what_they_count",
        postgresql_nulls_not_distinct=True,
    ),
    Index("limits_team_id", "team_id"),
    Index("limits_key_id", "key_id"),
)

PROVIDER_CREDENTIALS = Table(
    "provider_credentials",
    METADATA,
    Column("id", Uuid, primary_key=True, server_default=FetchedValue()),
    Column("owner", Uuid, ForeignKey(VIRTUAL_KEYS.c.id, ondelete="CASCADE")),
    Column("provider", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint(
        "owner",
        "provider",
        name="provider_credentials_owner_provider",
        postgresql_nulls_not_distinct=True,
    ),
)
