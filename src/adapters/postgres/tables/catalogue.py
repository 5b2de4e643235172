from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ....domain.usage import TOKEN_CLASSES
from .schema import METADATA

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
    Column("unbounded", Text, nullable=False),
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
    Column("units", JSONB, nullable=False),
    Column("source", Text, nullable=False),
)
