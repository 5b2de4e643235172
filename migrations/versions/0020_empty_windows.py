"""An empty counter of a window that slides, too, knows what has slid out of it: then it makes no
difference whether there was one."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_COUNTER_AT = """
    create or replace function langroute.counter_at(
        c langroute.counters, now_ns bigint, bounds bigint[]
    )
    returns langroute.counters
    language plpgsql immutable as $$
    declare
        number bigint;
        gone int := 0;
        moment bigint;
    begin
        if c.length_ns is not null then
            number := greatest(
                now_ns / (c.length_ns / 250), c.oldest, c.numbers[cardinality(c.numbers)]
            );
            {empty}if c.numbers[1] < number - 250 then
                while c.numbers[gone + 1] < number - 250 loop
                    gone := gone + 1;
                    c.total := c.total - c.amounts[gone];
                end loop;
                c.numbers := c.numbers[gone + 1 :];
                c.amounts := c.amounts[gone + 1 :];
                c.oldest := number - 250;
            end if;
            return c;
        end if;
        if c.ends_ns is null or (c.ends_ns <> 0 and now_ns < c.ends_ns) then
            return c;
        end if;
        moment := greatest(now_ns, c.began_ns);
        c.spent := 0;
        c.reserved := 0;
        if bounds is null then
            c.began_ns := moment;
            c.ends_ns := 0;
            return c;
        end if;
        for i in 1 .. cardinality(bounds) - 1 loop
            if bounds[i] <= moment and moment < bounds[i + 1] then
                c.began_ns := bounds[i];
                c.ends_ns := bounds[i + 1];
                return c;
            end if;
        end loop;
        raise exception 'the clocks of a gateway and of Postgres are too far apart'
            using errcode = 'object_not_in_prerequisite_state';
    end
    $$
"""
_EMPTY = """if cardinality(c.numbers) = 0 then
                c.oldest := greatest(c.oldest, number - 250);
            els"""


def upgrade() -> None:
    op.execute(_COUNTER_AT.format(empty=_EMPTY))


def downgrade() -> None:
    op.execute(_COUNTER_AT.format(empty=""))
