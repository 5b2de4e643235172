"""Images are classes of tokens of their own."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _rate(name: str) -> str:
    # Not a number is more than nothing, to Postgres.
    column = f"{name}_usd_per_mtok"
    return f"add column {column} numeric(18, 6) check ({column} >= 0 and {column} <> 'NaN')"


def _tokens(name: str) -> str:
    return f"add column {name}_tokens bigint not null default 0 check ({name}_tokens >= 0)"


_UP = (
    f"alter table langroute.prices {_rate('image_input')}, {_rate('image_output')}",
    f"alter table langroute.ledger {_tokens('image_input')}, {_tokens('image_output')}",
    """
    comment on column langroute.ledger.image_input_tokens is
    'Nothing where the provider does not tell images from text, and before this column was there: '
    'they are plain input then.'
    """,
)

_DOWN = (
    # The totals of the keys stay the sums of their entries; no cost changes.
    "alter table langroute.ledger disable trigger append_only",
    """
    update langroute.ledger set
        input_tokens = input_tokens + image_input_tokens,
        output_tokens = output_tokens + image_output_tokens
    where image_input_tokens > 0 or image_output_tokens > 0
    """,
    "alter table langroute.ledger enable trigger append_only",
    """
    alter table langroute.ledger
        drop column image_input_tokens, drop column image_output_tokens
    """,
    # The gateway of before leaves out a price with a class that it does not know.
    """
    update langroute.prices set tiers = (
        select jsonb_agg(
            case jsonb_typeof(tier)
                when 'object' then tier - 'image_input' - 'image_output' else tier
            end
            order by place
        )
        from jsonb_array_elements(tiers) with ordinality as tiers_of (tier, place)
    )
    where tiers::text like '%image_%'
    """,
    """
    alter table langroute.prices
        drop column image_input_usd_per_mtok, drop column image_output_usd_per_mtok
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
