"""A lease lasts by Postgres' clock, by which it runs out, whatever the clock of the gateway that
gives it says: a call whose gateway's clock is behind is not taken for lost while it goes on, nor
overlooked by sweeps that have gone beyond its lease already."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UP = (
    """
    create function langroute.lengthen_lease() returns trigger
    language plpgsql as $$
    begin
        new.lease_until := greatest(
            new.lease_until, now() + interval '60 s', now() + (new.lease_until - new.at)
        );
        return new;
    end
    $$
    """,
    # Clocks that agree to some seconds, as all but a few do, pay for the condition alone.
    """
    create trigger lengthen_lease before insert on langroute.reservations
    for each row when (
        new.at < now() - interval '15 s' or new.lease_until < now() + interval '60 s'
    )
    execute function langroute.lengthen_lease()
    """,
)

_DOWN = (
    "drop trigger lengthen_lease on langroute.reservations",
    "drop function langroute.lengthen_lease()",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
