from sqlalchemy import BigInteger, Column, Date, DateTime, Identity, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from .schema import METADATA

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

DROPPED_SUMS = Table(
    "dropped_sums",
    METADATA,
    Column("month", Date, nullable=False),
    Column("key_id", Uuid, nullable=False, index=True),
    Column("team_id", Uuid, index=True),
    Column("organization_id", Uuid, index=True),
    Column("model", Text, nullable=False),
    Column("tag", Text),
    Column("end_user", Text),
    Column("calls", Numeric, nullable=False),
    Column("tokens", Numeric, nullable=False),
    Column("cost_usd", Numeric, nullable=False),
)

POSTED_CORRECTIONS = Table(
    "posted_corrections",
    METADATA,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("number", BigInteger, nullable=False),
)

RECOUNTS = Table(
    "recounts",
    METADATA,
    Column("limit_id", Uuid, primary_key=True),
    Column("due", DateTime(timezone=True), nullable=False),
)
