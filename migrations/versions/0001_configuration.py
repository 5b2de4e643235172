"""What operators define: providers, routes, prices, virtual keys, providers' credentials.

The checks refuse what the gateway could not read, so that a slip in psql harms nothing.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A time that Python, too, can tell; this leaves out 'infinity'.
_TIME = "between timestamptz '1970-01-01 00:00Z' and timestamptz '9999-12-31 23:59:59.999999Z'"
_ONE_STAR = "length({0}) - length(replace({0}, '*', '')) <= 1"

_UP = (
    """
    create function langroute.new_id() returns uuid
    language sql volatile
    return encode(
        set_bit(set_bit(
            overlay(
                uuid_send(gen_random_uuid())
                placing substring(
                    int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3
                )
                from 1 for 6
            ), 52, 1), 53, 1),
        'hex'
    )::uuid
    """,
    """
    comment on function langroute.new_id() is
    'RFC 9562, version 7: later ids are greater. Postgres has its own from version 18 on.'
    """,
    """
    create table langroute.providers (
        name text primary key check (name <> ''),
        kind text not null,
        base_url text not null check (base_url ~ '^https?://[^/]'),
        needs_credential boolean not null default true
    )
    """,
    "comment on table langroute.providers is 'Who answers. Their keys stand apart.'",
    """
    comment on column langroute.providers.kind is
    'The wire format: openai or mistral. A provider of a kind that the gateway does not know is '
    'left out, with a warning in its log.'
    """,
    """
    comment on column langroute.providers.base_url is
    'Ends before /chat/completions.'
    """,
    """
    create table langroute.routes (
        model text primary key check (model <> ''),
        aliases text[] not null default '{}',
        output_cap bigint check (output_cap >= 1),
        check (coalesce(array_ndims(aliases), 1) = 1 and array_position(aliases, null) is null)
    )
    """,
    """
    comment on table langroute.routes is
    'The models that callers may ask for. A route is used once it has a target.'
    """,
    """
    comment on column langroute.routes.model is
    'May hold one *, which stands for anything.'
    """,
    """
    comment on column langroute.routes.output_cap is
    'The output, in tokens, that a call without a cap of its own may use.'
    """,
    f"""
    create table langroute.route_targets (
        route text not null
            references langroute.routes (model) on delete cascade on update cascade,
        position bigint not null default 0,
        provider text not null references langroute.providers (name) on update cascade,
        model text not null check (model <> '' and {_ONE_STAR.format("model")}),
        target_order bigint not null default 0,
        weight bigint not null default 1 check (weight >= 1),
        primary key (route, provider, model)
    )
    """,
    "create index route_targets_provider on langroute.route_targets (provider)",
    """
    comment on column langroute.route_targets.model is
    'The name at the provider. A * takes what the * of the route stood for.'
    """,
    """
    comment on column langroute.route_targets.target_order is
    'The lowest is tried first; those of one order share the load by weight.'
    """,
    """
    comment on column langroute.route_targets.position is
    'Where the target is listed. Decides nothing.'
    """,
    f"""
    create table langroute.prices (
        provider text not null check (provider <> ''),
        model text not null check (model <> ''),
        effective_from timestamptz not null default '1970-01-01 00:00Z'
            check (effective_from {_TIME}),
        input_usd_per_mtok numeric(18, 6) not null check (input_usd_per_mtok >= 0),
        output_usd_per_mtok numeric(18, 6) not null check (output_usd_per_mtok >= 0),
        cached_input_usd_per_mtok numeric(18, 6) check (cached_input_usd_per_mtok >= 0),
        cache_write_usd_per_mtok numeric(18, 6) check (cache_write_usd_per_mtok >= 0),
        audio_input_usd_per_mtok numeric(18, 6) check (audio_input_usd_per_mtok >= 0),
        reasoning_usd_per_mtok numeric(18, 6) check (reasoning_usd_per_mtok >= 0),
        audio_output_usd_per_mtok numeric(18, 6) check (audio_output_usd_per_mtok >= 0),
        tiers jsonb not null default '[]' check (jsonb_typeof(tiers) = 'array'),
        source text not null default 'operator',
        primary key (provider, model, effective_from),
        check (not 'NaN' in (
            input_usd_per_mtok, output_usd_per_mtok,
            coalesce(cached_input_usd_per_mtok, 0), coalesce(cache_write_usd_per_mtok, 0),
            coalesce(audio_input_usd_per_mtok, 0), coalesce(reasoning_usd_per_mtok, 0),
            coalesce(audio_output_usd_per_mtok, 0)
        ))
    )
    """,
    """
    comment on table langroute.prices is
    'US dollars for a million tokens, from a moment on. Never changed once calls were charged: a '
    'new price is a new row. A provider may be gone while its prices stay.'
    """,
    """
    comment on column langroute.prices.tiers is
    'Rates for the whole call once its prompt is longer, in order: '
    '[{"above_prompt_tokens": 200000, "input": "2.50", "output": "15.00"}]. The names are those '
    'of the columns without _usd_per_mtok.'
    """,
    """
    comment on column langroute.prices.cached_input_usd_per_mtok is
    'Null: what plain input costs. The same goes for the other classes of tokens.'
    """,
    f"""
    create table langroute.virtual_keys (
        id uuid primary key default langroute.new_id(),
        name text not null default '',
        digest bytea not null unique check (length(digest) = 32),
        hint text not null default '',
        requests_per_minute bigint check (requests_per_minute >= 0),
        tokens_per_minute bigint check (tokens_per_minute >= 0),
        allowed_models text[] not null default '{{}}',
        created_at timestamptz not null default now() check (created_at {_TIME}),
        expires_at timestamptz check (expires_at {_TIME}),
        revoked_at timestamptz check (revoked_at {_TIME}),
        total_cost numeric(30, 12) not null default 0,
        total_tokens bigint not null default 0,
        total_calls bigint not null default 0,
        check (
            coalesce(array_ndims(allowed_models), 1) = 1
            and array_position(allowed_models, null) is null
        )
    )
    """,
    "comment on table langroute.virtual_keys is 'What applications hold. Secrets are not kept.'",
    """
    comment on column langroute.virtual_keys.digest is
    'SHA-256 of the secret. Of a known secret: sha256(''lrvk_...'').'
    """,
    """
    comment on column langroute.virtual_keys.tokens_per_minute is
    'In any 60 seconds, input and output together. Null: no limit.'
    """,
    """
    comment on column langroute.virtual_keys.allowed_models is
    'Each may hold one *. Empty: every model.'
    """,
    """
    comment on column langroute.virtual_keys.total_cost is
    'The sum of the key''s ledger entries, kept up with every batch of them.'
    """,
    """
    create table langroute.provider_credentials (
        id uuid primary key default langroute.new_id(),
        owner uuid references langroute.virtual_keys (id) on delete cascade,
        provider text not null check (provider <> ''),
        sealed text not null check (sealed <> ''),
        updated_at timestamptz not null default now(),
        constraint provider_credentials_owner_provider
            unique nulls not distinct (owner, provider)
    )
    """,
    """
    comment on column langroute.provider_credentials.owner is
    'The virtual key that it serves. Null: every key.'
    """,
    """
    comment on column langroute.provider_credentials.sealed is
    'AES-256-GCM, bound to owner and provider: it does not open in another row.'
    """,
)

_DOWN = (
    "drop table langroute.provider_credentials",
    "drop table langroute.virtual_keys",
    "drop table langroute.prices",
    "drop table langroute.route_targets",
    "drop table langroute.routes",
    "drop table langroute.providers",
    "drop function langroute.new_id()",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
