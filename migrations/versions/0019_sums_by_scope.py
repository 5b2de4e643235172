"""The sums by day are found by whose they are: budgets that never begin anew are told from them."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_SCOPES = ("key_id", "team_id", "organization_id")


def upgrade() -> None:
    for name in _SCOPES:
        op.execute(f"create index ix_langroute_rollups_{name} on langroute.rollups ({name})")


def downgrade() -> None:
    for name in _SCOPES:
        op.execute(f"drop index langroute.ix_langroute_rollups_{name}")
