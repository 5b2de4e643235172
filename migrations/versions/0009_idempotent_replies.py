"""What an application was answered, for when it asks the same again; and routes whose calls may be
made smaller."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UP = (
    "alter table langroute.routes add column shrink boolean not null default false",
    """
    comment on column langroute.routes.shrink is
    'Whether a call whose output cap does not fit into its limits is given the one that does, '
    'where its caller says nothing else.'
    """,
    """
    create table langroute.idempotent_replies (
        key_id uuid not null,
        name text not null check (name <> ''),
        request bytea not null,
        owner uuid not null,
        lease_until timestamptz not null,
        expires_at timestamptz not null,
        status bigint check (status between 100 and 599),
        headers jsonb,
        body bytea,
        streamed boolean,
        primary key (key_id, name),
        check (num_nulls(status, headers, body, streamed) in (0, 4))
    )
    """,
    "create index idempotent_replies_expires_at on langroute.idempotent_replies (expires_at)",
    """
    comment on table langroute.idempotent_replies is
    'Answers by Idempotency-Key, kept for a day. Nothing depends on them: emptying the table only '
    'means that a repeated call is made, and paid for, again.'
    """,
    """
    comment on column langroute.idempotent_replies.request is
    'SHA-256 of what was asked: the same name for another request is refused.'
    """,
    """
    comment on column langroute.idempotent_replies.lease_until is
    'Until then, whoever answers is known to be at it, unless the answer is there already.'
    """,
)

_DOWN = (
    "drop table langroute.idempotent_replies",
    "alter table langroute.routes drop column shrink",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
