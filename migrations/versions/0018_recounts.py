"""Limits that have just been set: some gateways hear of one a moment later than others, and do not
count what they admit meanwhile. So it is counted once more when all have heard."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_UP = (
    """
    create table langroute.recounts (
        limit_id uuid primary key,
        due timestamptz not null
    )
    """,
    """
    comment on table langroute.recounts is
    'Limits whose counters are made anew from the ledger, once, and when.'
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table langroute.recounts")
