"""What is not sold by the token is counted in units, each with a rate of its own: pictures,
letters, seconds, searches, and a fee for each request. Sound and images that are read from a cache
are classes of tokens of their own."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_CACHED = ("cached_audio_input", "cached_image_input")


def _rate(name: str) -> str:
    # Not a number is more than nothing, to Postgres.
    column = f"{name}_usd_per_mtok"
    return f"add column {column} numeric(18, 6) check ({column} >= 0 and {column} <> 'NaN')"


def _tokens(name: str) -> str:
    # A correction may take some away.
    column = f"{name}_tokens"
    return f"add column {column} bigint not null default 0 check (number > 0 or {column} >= 0)"


_UP = (
    f"alter table langroute.prices {', '.join(map(_rate, _CACHED))}",
    f"alter table langroute.ledger {', '.join(map(_tokens, _CACHED))}",
    """
    alter table langroute.prices
        add column units jsonb not null default '{}' check (jsonb_typeof(units) = 'object')
    """,
    "alter table langroute.ledger add column units jsonb check (jsonb_typeof(units) = 'object')",
    """
    comment on column langroute.prices.units is
    'US dollars for a picture, a million characters, an hour of sound, a thousand searches or '
    'requests: {"images": "0.04", "characters": "15", "audio_seconds": "0.36", '
    '"web_searches": "10", "file_searches": "2.5", "requests": "12"}.'
    """,
    """
    comment on column langroute.ledger.units is
    'How much was used of what is not sold by the token: {"images:high:1024x1024": 2}. Null: '
    'nothing. Of a correction, the difference.'
    """,
    """
    comment on column langroute.ledger.cached_audio_input_tokens is
    'Nothing where the provider does not tell sound from text, and before this column was there: '
    'they are plain cached input then.'
    """,
)

_DOWN = (
    # The totals of the keys stay the sums of their entries; no cost changes.
    "alter table langroute.ledger disable trigger append_only",
    """
    update langroute.ledger
    set cached_input_tokens =
        cached_input_tokens + cached_audio_input_tokens + cached_image_input_tokens
    where cached_audio_input_tokens <> 0 or cached_image_input_tokens <> 0
    """,
    "alter table langroute.ledger enable trigger append_only",
    """
    alter table langroute.ledger
        drop column units, drop column cached_audio_input_tokens,
        drop column cached_image_input_tokens
    """,
    # The gateway of before leaves out a price with a class that it does not know.
    """
    update langroute.prices set tiers = (
        select jsonb_agg(
            case jsonb_typeof(tier)
                when 'object' then tier - 'cached_audio_input' - 'cached_image_input' else tier
            end
            order by place
        )
        from jsonb_array_elements(tiers) with ordinality as tiers_of (tier, place)
    )
    where tiers::text like '%cached_audio_input%' or tiers::text like '%cached_image_input%'
    """,
    """
    update langroute.prices set services = (
        select jsonb_object_agg(
            name,
            own - 'units' - 'cached_audio_input' - 'cached_image_input' || jsonb_build_object(
                'tiers',
                (
                    select coalesce(
                        jsonb_agg(
                            tier - 'cached_audio_input' - 'cached_image_input' order by place
                        ),
                        '[]'
                    )
                    from jsonb_array_elements(own -> 'tiers')
                        with ordinality as tiers_of (tier, place)
                )
            )
        )
        from jsonb_each(services) as services_of (name, own)
    )
    where services <> '{}'
    """,
    """
    alter table langroute.prices
        drop column units, drop column cached_audio_input_usd_per_mtok,
        drop column cached_image_input_usd_per_mtok
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
