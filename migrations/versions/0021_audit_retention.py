"""Changes may be forgotten for their age, if that is set: by one function, and by nobody else."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# The function alone sets this, and only while it runs.
_FORGETS = "current_setting('langroute.forgets', true) is distinct from 'yes'"
_REFUSE = """
    create trigger {name} before {what} on langroute.audit
    for each statement {unless} execute function langroute.refuse_change()
"""

# Of several processes, the others find nothing to do while one is at it. That something is gone
# is in the log itself, once for each moment before which all is.
_FORGET = """
    create function langroute.forget_changes(until timestamptz, most bigint) returns bigint
    language plpgsql set langroute.forgets = 'yes' as $$
    declare
        note constant jsonb := jsonb_build_object(
            'before', to_char(until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        );
        gone bigint;
    begin
        if not pg_try_advisory_xact_lock(7205759403792797) then
            return 0;
        end if;
        delete from langroute.audit where number in (
            select number from langroute.audit where at < until order by at limit most
        );
        get diagnostics gone = row_count;
        if gone > 0 and not exists (
            select from langroute.audit where kind = 'audit' and name = '*' and after = note
        ) then
            insert into langroute.audit (kind, name, action, after)
            values ('audit', '*', 'removed', note);
        end if;
        return gone;
    end
    $$
"""

_UP = (
    "drop trigger append_only on langroute.audit",
    _REFUSE.format(name="append_only", what="update or truncate", unless=""),
    _REFUSE.format(name="kept", what="delete", unless=f"when ({_FORGETS})"),
    _FORGET,
    """
    comment on function langroute.forget_changes(timestamptz, bigint) is
    'Deletes the oldest changes of the audit log from before that moment, but no more than so many '
    'at once. How many: none where another session does so.'
    """,
    """
    comment on table langroute.audit is
    'Every change of the configuration. Rows are added, by triggers, and never changed. Old ones '
    'are deleted by langroute.forget_changes alone.'
    """,
)

_DOWN = (
    "drop function langroute.forget_changes(timestamptz, bigint)",
    "drop trigger kept on langroute.audit",
    "drop trigger append_only on langroute.audit",
    _REFUSE.format(name="append_only", what="update or delete or truncate", unless=""),
    """
    comment on table langroute.audit is
    'Every change of the configuration. Rows are added, by triggers, and never changed.'
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
