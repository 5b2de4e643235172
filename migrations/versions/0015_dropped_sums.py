"""What budgets that never begin anew have counted of months that are dropped: the sums that they
need outlast the calls."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLE = (
    """
    create table langroute.dropped_sums (
        month date not null,
        key_id uuid not null,
        team_id uuid,
        organization_id uuid,
        model text not null,
        tag text,
        end_user text,
        calls numeric not null,
        tokens numeric not null,
        cost_usd numeric not null
    )
    """,
    """
    comment on table langroute.dropped_sums is
    'What was used in months whose calls are dropped, for limits that never begin anew. All of it '
    'without end users; and once more by end user, of those whose limits count by them.'
    """,
    *(
        f"create index ix_langroute_dropped_sums_{name} on langroute.dropped_sums ({name})"
        for name in ("key_id", "team_id", "organization_id")
    ),
    """
    insert into langroute.dropped_sums
    select date_trunc('month', day)::date, key_id, team_id, organization_id, model,
        nullif(tag, ''), null, sum(calls), sum(prompt_tokens + completion_tokens), sum(cost_usd)
    from langroute.rollups
    where day < (
        select (date_trunc('month', coalesce(min(at), now()), 'UTC') at time zone 'UTC')::date
        from langroute.ledger
    )
    group by 1, 2, 3, 4, 5, 6
    """,
)

# Nobody adds to the month any more by then, nor to its days: `rollups` change with the ledger.
# Which columns hold tokens is looked up: there may be more of them by then.
_KEEP = """
    create function langroute.keep_sums(month text) returns void
    language plpgsql as $$
    declare
        began date := to_date(month, 'YYYY_MM');
        tokens text;
    begin
        if to_regclass('langroute.ledger_' || month) is null then
            return;
        end if;
        execute format('lock table langroute.%I in share mode', 'ledger_' || month);
        insert into langroute.dropped_sums
        select began, key_id, team_id, organization_id, model, nullif(tag, ''), null,
            sum(calls), sum(prompt_tokens + completion_tokens), sum(cost_usd)
        from langroute.rollups
        where day >= began and day < began + interval '1 month'
        group by key_id, team_id, organization_id, model, tag;
        if not exists (
            select from langroute.limits where period = 'never' and end_user is not null
        ) then
            return;
        end if;
        select string_agg(attname, ' + ' order by attnum) into tokens
        from pg_attribute
        where attrelid = 'langroute.ledger'::regclass and attname like '%\\_tokens'
            and not attisdropped;
        execute format(
            'insert into langroute.dropped_sums '
            'select $1, key_id, team_id, organization_id, model, tag, end_user, '
            'count(*) filter (where number = 0), sum(%s), sum(cost_usd) '
            'from langroute.%I entry where end_user is not null and exists ('
            'select from langroute.limits held '
            'where held.period = ''never'' and held.end_user is not null and ('
            'held.key_id = entry.key_id or held.team_id = entry.team_id '
            'or held.organization_id = entry.organization_id)) '
            'group by key_id, team_id, organization_id, model, tag, end_user',
            tokens, 'ledger_' || month
        ) using began;
    end
    $$
"""

_DROP = """
    create or replace function langroute.drop_partitions(until timestamptz) returns text[]
    language plpgsql as $$
    declare
        month text;
        began timestamptz;
        ended timestamptz;
        has_open boolean;
        parent text;
        dropped text[] := '{{}}';
    begin
        perform pg_advisory_xact_lock(7205759403792794);
        for month in
            select distinct substring(relname from '\\d{{4}}_\\d{{2}}$')
            from pg_inherits join pg_class on pg_class.oid = inhrelid
            where inhparent in (
                'langroute.ledger'::regclass, 'langroute.reservations'::regclass
            ) and relname ~ '_\\d{{4}}_\\d{{2}}$'
            order by 1
        loop
            began := to_date(month, 'YYYY_MM')::timestamp at time zone 'UTC';
            ended := (to_date(month, 'YYYY_MM') + interval '1 month') at time zone 'UTC';
            exit when ended > until;
            select exists (
                select from langroute.reservations held
                where held.at >= began and held.at < ended and not exists (
                    select from langroute.ledger
                    where ledger.at = held.at and ledger.request_id = held.request_id
                    and ledger.at >= began and ledger.at < ended
                )
            ) into has_open;
            if has_open then
                continue;
            end if;
            {keep}foreach parent in array array['ledger', 'reservations'] loop
                if to_regclass('langroute.' || parent || '_' || month) is not null then
                    execute format(
                        'alter table langroute.%I detach partition langroute.%I',
                        parent, parent || '_' || month
                    );
                    execute format('drop table langroute.%I', parent || '_' || month);
                    dropped := dropped || (parent || '_' || month);
                end if;
            end loop;
            return dropped;
        end loop;
        return dropped;
    end
    $$
"""

_UP = (*_TABLE, _KEEP, _DROP.format(keep="perform langroute.keep_sums(month);\n            "))

_DOWN = (
    _DROP.format(keep=""),
    "drop function langroute.keep_sums(text)",
    "drop table langroute.dropped_sums",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
