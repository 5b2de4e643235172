"""The tables as SQLAlchemy sees them. The migrations define them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ...domain.usage import TOKEN_CLASSES

SCHEMA = "langroute"
METADATA = MetaData(schema=SCHEMA)

PLAIN_CLASSES = ("input", "output")

PROVIDERS = Table(
    "providers",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("needs_credential", Boolean, nullable=False),
)

ROUTES = Table(
    "routes",
    METADATA,
    Column("model", Text, primary_key=True),
    Column("aliases", ARRAY(Text), nullable=False),
    Column("output_cap", BigInteger),
    Column("unsupported", Text, nullable=False),
    Column("shrink", Boolean, nullable=False),
)

ROUTE_TARGETS = Table(
    "route_targets",
    METADATA,
    Column(
        "route",
        Text,
        ForeignKey(ROUTES.c.model, ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
    ),
    Column("position", BigInteger, nullable=False),
    Column("provider", Text, ForeignKey(PROVIDERS.c.name, onupdate="CASCADE"), primary_key=True),
    Column("model", Text, primary_key=True),
    Column("target_order", BigInteger, nullable=False),
    Column("weight", BigInteger, nullable=False),
    Index("route_targets_provider", "provider"),
)

PRICES = Table(
    "prices",
    METADATA,
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("effective_from", DateTime(timezone=True), primary_key=True),
    *(
        Column(f"{name}_usd_per_mtok", Numeric(18, 6), nullable=name not in PLAIN_CLASSES)
        for name in TOKEN_CLASSES
    ),
    Column("tiers", JSONB, nullable=False),
    Column("services", JSONB, nullable=False),
    Column("source", Text, nullable=False),
)

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

LEDGER = Table(
    "ledger",
    METADATA,
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("request_id", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", Uuid, nullable=False),
    Column("team_id", Uuid),
    Column("organization_id", Uuid),
    Column("end_user", Text),
    Column("tag", Text),
    Column("duration_ns", BigInteger, nullable=False),
    Column("first_byte_ns", BigInteger),
    Column("model", Text, nullable=False),
    Column("provider", Text),
    Column("upstream_model", Text),
    Column("outcome", Text, nullable=False),
    Column("error", Text),
    Column("attempts", BigInteger, nullable=False),
    Column("streamed", Boolean, nullable=False),
    *(Column(f"{name}_tokens", BigInteger, nullable=False) for name in TOKEN_CLASSES),
    Column("cost_usd", Numeric(30, 12), nullable=False),
    Column("service", Text),
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

RESERVATIONS = Table(
    "reservations",
    METADATA,
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("request_id", Uuid, primary_key=True),
    Column("key_id", Uuid, nullable=False),
    Column("team_id", Uuid),
    Column("organization_id", Uuid),
    Column("end_user", Text),
    Column("tag", Text),
    Column("model", Text, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("lease_until", DateTime(timezone=True), nullable=False),
    Column("input_bound", BigInteger, nullable=False),
    Column("output_bound", BigInteger, nullable=False),
    Column("cost_bound_usd", Numeric(30, 12), nullable=False),
    Column("priced", Boolean, nullable=False),
    Column("claims", JSONB, nullable=False),
    Column("store", Text, nullable=False),
    Index("reservations_lease_until", "lease_until"),
)

COUNTERS = Table(
    "counters",
    METADATA,
    Column("limit_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("length_ns", BigInteger),
    Column("numbers", ARRAY(BigInteger), nullable=False),
    Column("amounts", ARRAY(Numeric), nullable=False),
    Column("total", Numeric, nullable=False),
    Column("oldest", BigInteger, nullable=False),
    Column("began_ns", BigInteger, nullable=False),
    Column("ends_ns", BigInteger),
    Column("spent", Numeric, nullable=False),
    Column("reserved", Numeric, nullable=False),
)

LATER_CLAIMS = Table(
    "later_claims",
    METADATA,
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("request_id", Uuid, primary_key=True),
    Column("limit_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("place", BigInteger, nullable=False),
)

SWEEPS = Table(
    "sweeps",
    METADATA,
    Column("what", Text, primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
)

ROLLUPS = Table(
    "rollups",
    METADATA,
    Column("day", Date, nullable=False),
    Column("key_id", Uuid, nullable=False),
    Column("team_id", Uuid),
    Column("organization_id", Uuid),
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
