"""What each call used and cost, never changed once written."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UP = (
    """
    create table langroute.ledger (
        request_id uuid primary key,
        key_id uuid not null,
        at timestamptz not null
            check (
                at between timestamptz '1970-01-01 00:00Z'
                and timestamptz '9999-12-31 23:59:59.999999Z'
            ),
        duration_ns bigint not null check (duration_ns >= 0),
        first_byte_ns bigint check (first_byte_ns >= 0),
        model text not null,
        provider text,
        upstream_model text,
        outcome text not null check (
            outcome in ('succeeded', 'failed', 'client_cancelled', 'broken_off', 'expired')
        ),
        error text,
        attempts bigint not null check (attempts >= 0),
        streamed boolean not null,
        input_tokens bigint not null default 0 check (input_tokens >= 0),
        cached_input_tokens bigint not null default 0 check (cached_input_tokens >= 0),
        cache_write_tokens bigint not null default 0 check (cache_write_tokens >= 0),
        audio_input_tokens bigint not null default 0 check (audio_input_tokens >= 0),
        output_tokens bigint not null default 0 check (output_tokens >= 0),
        reasoning_tokens bigint not null default 0 check (reasoning_tokens >= 0),
        audio_output_tokens bigint not null default 0 check (audio_output_tokens >= 0),
        cost_usd numeric(30, 12) not null default 0 check (cost_usd >= 0),
        priced boolean not null default true,
        estimated boolean not null default false
    )
    """,
    "create index ledger_key_id_at on langroute.ledger (key_id, at)",
    "create index ledger_at on langroute.ledger (at)",
    "comment on table langroute.ledger is 'One row a call. Rows are added, and never changed.'",
    """
    comment on column langroute.ledger.key_id is
    'Refers to virtual_keys, without a foreign key: what was spent is written down even if the '
    'key is gone by then.'
    """,
    """
    comment on column langroute.ledger.input_tokens is
    'The classes of tokens never overlap: cached input is not counted here again.'
    """,
    """
    comment on column langroute.ledger.priced is
    'False where the model had no price: the cost is unknown then, not nothing.'
    """,
    """
    comment on column langroute.ledger.estimated is
    'The provider told no usage; this is the gateway''s estimate.'
    """,
    """
    create function langroute.refuse_change() returns trigger
    language plpgsql as $$
    begin
        raise exception 'langroute.% is only ever added to', tg_table_name
            using errcode = 'restrict_violation';
    end
    $$
    """,
    """
    create trigger append_only
    before update or delete or truncate on langroute.ledger
    for each statement execute function langroute.refuse_change()
    """,
)

_DOWN = (
    "drop table langroute.ledger",
    "drop function langroute.refuse_change()",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
