"""What a route does with calls that have no bound."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UP = (
    """
    alter table langroute.routes add column unbounded text not null default 'refuse'
        check (unbounded in ('refuse', 'debt'))
    """,
    """
    comment on column langroute.routes.unbounded is
    'What becomes of a call that brings more input, or cost, than can be told beforehand, under a '
    'hard limit of tokens or money. refuse: it is an error. debt: it is let in by what is known of '
    'it; what it uses beyond that is a debt of its limits.'
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table langroute.routes drop column unbounded")
