"""Tells every gateway, on the channel `langroute_changes`, whose calls were corrected: what they
have used is another than was counted.

    corrected:<key>,<team>,<organization>   their ids; the last two may be empty
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UP = (
    """
    create function langroute.tell_correction() returns trigger
    language plpgsql as $$
    begin
        perform pg_notify('langroute_changes', format(
            'corrected:%s,%s,%s', new.key_id, new.team_id, new.organization_id
        ));
        return null;
    end
    $$
    """,
    """
    create trigger tell_correction after insert on langroute.ledger
    for each row when (new.number > 0) execute function langroute.tell_correction()
    """,
)

_DOWN = (
    "drop trigger tell_correction on langroute.ledger",
    "drop function langroute.tell_correction()",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
