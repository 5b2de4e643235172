"""Corrections, one after the other, for those who count what the ledger says elsewhere, such as in
Redis: which of them they have counted is then one number."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TELL = """
    create or replace function langroute.tell_correction() returns trigger
    language plpgsql as $$
    begin
        {log}perform pg_notify('langroute_changes', format(
            'corrected:%s,%s,%s', new.key_id, new.team_id, new.organization_id
        ));
        return null;
    end
    $$
"""
_LOG = """insert into langroute.posted_corrections (at, request_id, number)
        values (new.at, new.request_id, new.number);
        """

_UP = (
    """
    create table langroute.posted_corrections (
        position bigint generated always as identity primary key,
        at timestamptz not null,
        request_id uuid not null,
        number bigint not null
    )
    """,
    """
    comment on table langroute.posted_corrections is
    'Corrections in the order in which they became visible: whoever posts one waits for the one '
    'before.'
    """,
    # Before the row is there: who waits here holds up nobody who has got further.
    """
    create function langroute.await_turn() returns trigger
    language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(7205759403792796);
        return new;
    end
    $$
    """,
    """
    create trigger await_turn before insert on langroute.ledger
    for each row when (new.number > 0) execute function langroute.await_turn()
    """,
    _TELL.format(log=_LOG),
)

_DOWN = (
    _TELL.format(log=""),
    "drop trigger await_turn on langroute.ledger",
    "drop function langroute.await_turn()",
    "drop table langroute.posted_corrections",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
