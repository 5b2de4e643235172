"""What is charged at other prices: what a cache keeps for an hour is a class of tokens of its own,
and services that answer sooner, or later, have rates of their own."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_RATE = "cache_write_1h_usd_per_mtok"
_TOKENS = "cache_write_1h_tokens"

_UP = (
    # Not a number is more than nothing, to Postgres.
    f"""
    alter table langroute.prices
        add column {_RATE} numeric(18, 6) check ({_RATE} >= 0 and {_RATE} <> 'NaN')
    """,
    f"""
    alter table langroute.ledger
        add column {_TOKENS} bigint not null default 0 check (number > 0 or {_TOKENS} >= 0)
    """,
    """
    alter table langroute.prices
        add column services jsonb not null default '{}' check (jsonb_typeof(services) = 'object')
    """,
    "alter table langroute.ledger add column service text check (service <> '')",
    """
    comment on column langroute.prices.services is
    'Rates of services beside the ordinary one: '
    '{"priority": {"input": "3.50", "output": "14.00", "tiers": []}}. What is written in each is '
    'what tiers have, too.'
    """,
    """
    comment on column langroute.ledger.service is
    'At which service the provider says that it answered: priority, flex. Null: the ordinary one.'
    """,
    f"comment on column langroute.prices.{_RATE} is 'Null: what other writes to the cache cost.'",
    f"""
    comment on column langroute.ledger.{_TOKENS} is
    'Nothing where the provider does not tell them apart, and before this column was there: they '
    'are plain writes to the cache then.'
    """,
)

_DOWN = (
    # The totals of the keys stay the sums of their entries; no cost changes.
    "alter table langroute.ledger disable trigger append_only",
    """
    update langroute.ledger set cache_write_tokens = cache_write_tokens + cache_write_1h_tokens
    where cache_write_1h_tokens <> 0
    """,
    "alter table langroute.ledger enable trigger append_only",
    f"alter table langroute.ledger drop column {_TOKENS}, drop column service",
    # The gateway of before leaves out a price with a class that it does not know.
    """
    update langroute.prices set tiers = (
        select jsonb_agg(
            case jsonb_typeof(tier) when 'object' then tier - 'cache_write_1h' else tier end
            order by place
        )
        from jsonb_array_elements(tiers) with ordinality as tiers_of (tier, place)
    )
    where tiers::text like '%cache_write_1h%'
    """,
    f"alter table langroute.prices drop column {_RATE}, drop column services",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
