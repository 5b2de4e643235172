"""What a route does with fields that a target cannot take."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KIND = "comment on column langroute.providers.kind is "

_UP = (
    """
    alter table langroute.routes add column unsupported text not null default 'drop'
        check (unsupported in ('drop', 'refuse'))
    """,
    """
    comment on column langroute.routes.unsupported is
    'What becomes of a call with a field that its provider cannot take. drop: it is sent without, '
    'and the answer names the field. refuse: it is not sent there; the next target is asked, and '
    'where none can take the field, the caller gets an error.'
    """,
    _KIND
    + """
    'The wire format: openai, mistral, groq, ... Any may stand here; a provider of one that the '
    'gateway does not know fails when it is called.'
    """,
)

_DOWN = (
    "alter table langroute.routes drop column unsupported",
    _KIND
    + """
    'The wire format: openai or mistral. A provider of a kind that the gateway does not know is '
    'left out, with a warning in its log.'
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
