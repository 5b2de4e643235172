"""The ledger in monthly partitions, with whose each call was; what is under way; sums by day."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = "between timestamptz '1970-01-01 00:00Z' and timestamptz '9999-12-31 23:59:59.999999Z'"
_CLASSES = (
    *("input", "cached_input", "cache_write", "audio_input", "image_input"),
    *("output", "reasoning", "audio_output", "image_output"),
)
_PROMPT = " + ".join(f"{name}_tokens" for name in _CLASSES[:5])
_COMPLETION = " + ".join(f"{name}_tokens" for name in _CLASSES[5:])
_TOKENS = ", ".join(f"{name}_tokens" for name in _CLASSES)
_NONE_BELOW_0 = " and ".join(f"{name}_tokens >= 0" for name in _CLASSES)
# What both shapes of the ledger have, but for what a call used and cost.
_CALL = (
    "request_id, key_id, at, duration_ns, first_byte_ns, model, provider, upstream_model, outcome, "
    "error, attempts, streamed"
)
_REFUSE_CHANGE = """
    create trigger append_only
    before update or delete or truncate on langroute.{}
    for each statement execute function langroute.refuse_change()
"""

_LEDGER = (
    "alter table langroute.ledger rename to ledger_of_before",
    f"""
    create table langroute.ledger (
        at timestamptz not null check (at {_TIME}),
        request_id uuid not null,
        number bigint not null default 0 check (number >= 0),
        key_id uuid not null,
        team_id uuid,
        organization_id uuid,
        end_user text,
        tag text,
        duration_ns bigint not null check (duration_ns >= 0),
        first_byte_ns bigint check (first_byte_ns >= 0),
        model text not null,
        provider text,
        upstream_model text,
        outcome text not null check (
            outcome in ('succeeded', 'failed', 'client_cancelled', 'broken_off', 'expired')
        ),
        error text,
        attempts bigint not null check (attempts >= 0),
        streamed boolean not null,
        {", ".join(f"{name}_tokens bigint not null default 0" for name in _CLASSES)},
        cost_usd numeric(30, 12) not null default 0,
        priced boolean not null default true,
        estimated boolean not null default false,
        reason text check (reason <> ''),
        posted_at timestamptz check (posted_at {_TIME}),
        check (number > 0 or ({_NONE_BELOW_0} and cost_usd >= 0)),
        check ((number = 0) = (reason is null) and (number = 0) = (posted_at is null))
    ) partition by range (at)
    """,
    "create table langroute.ledger_default partition of langroute.ledger default",
    """
    comment on table langroute.ledger is
    'One row a call, and one more for each correction of it. Rows are added, and never changed. A '
    'partition a month; what fits in none goes to ledger_default.'
    """,
    """
    comment on column langroute.ledger.at is
    'When the call was asked for; of a correction, too.'
    """,
    """
    comment on column langroute.ledger.number is
    '0: what the call settled at. From 1 on: corrections, which hold differences, and may be '
    'negative.'
    """,
    """
    comment on column langroute.ledger.key_id is
    'Refers to virtual_keys, without a foreign key: what was spent is written down even if the '
    'key is gone by then. The same goes for the team and the organization.'
    """,
    """
    comment on column langroute.ledger.input_tokens is
    'The classes of tokens never overlap: cached input is not counted here again.'
    """,
    """
    comment on column langroute.ledger.image_input_tokens is
    'Nothing where the provider does not tell images from text, and before this column was there: '
    'they are plain input then.'
    """,
    """
    comment on column langroute.ledger.priced is
    'False where the model had no price: the cost is unknown then, not nothing. Of a correction: '
    'what holds from then on.'
    """,
    """
    comment on column langroute.ledger.estimated is
    'The provider told no usage; this is the gateway''s estimate. Of a correction: what holds from '
    'then on.'
    """,
    "comment on column langroute.ledger.reason is 'Why it was corrected.'",
    "comment on column langroute.ledger.posted_at is 'When it was corrected.'",
)

_RESERVATIONS = (
    f"""
    create table langroute.reservations (
        at timestamptz not null check (at {_TIME}),
        request_id uuid not null,
        key_id uuid not null,
        team_id uuid,
        organization_id uuid,
        end_user text,
        tag text,
        model text not null,
        streamed boolean not null,
        lease_until timestamptz not null check (lease_until {_TIME}),
        input_bound bigint not null check (input_bound >= 0),
        output_bound bigint not null check (output_bound >= 0),
        cost_bound_usd numeric(30, 12) not null check (cost_bound_usd >= 0),
        priced boolean not null,
        claims jsonb not null check (jsonb_typeof(claims) = 'array'),
        store text not null
    ) partition by range (at)
    """,
    "create table langroute.reservations_default partition of langroute.reservations default",
    """
    comment on table langroute.reservations is
    'One row a call that was admitted: the most that it may use. It is settled once the ledger has '
    'a row of the same at and request_id.'
    """,
    """
    comment on column langroute.reservations.lease_until is
    'A call that has not been settled by then is lost, and settled at its bound.'
    """,
    """
    comment on column langroute.reservations.claims is
    'What it holds of each limit: '
    '[{"limit": "…", "name": "", "measure": "tokens", "amount": 12, "place": 34}]. In a name, '
    'what is not printable ASCII is written as in a URL.'
    """,
    """
    comment on column langroute.reservations.store is
    'Who counts it: memory, postgres or redis.'
    """,
    """
    create table langroute.sweeps (
        what text primary key,
        until timestamptz not null
    )
    """,
    "insert into langroute.sweeps values ('reservations', '1970-01-01 00:00Z')",
    """
    comment on table langroute.sweeps is
    'Every reservation whose lease ended before that moment is settled.'
    """,
)

_ROLLUPS = (
    """
    create table langroute.rollups (
        day date not null,
        key_id uuid not null,
        team_id uuid,
        organization_id uuid,
        model text not null,
        provider text not null,
        tag text not null,
        calls bigint not null,
        prompt_tokens bigint not null,
        completion_tokens bigint not null,
        cost_usd numeric(30, 12) not null,
        unpriced_calls bigint not null,
        estimated_calls bigint not null,
        constraint rollups_heading unique nulls not distinct
            (day, key_id, team_id, organization_id, model, provider, tag)
    )
    """,
    """
    comment on table langroute.rollups is
    'Sums of the ledger by day, in UTC, kept up with every batch of it. They stay when its '
    'partitions are dropped. Long names are cut off; no provider and no tag are empty texts.'
    """,
)

# Made whole before it is attached, so that no writer waits but one to the default partition; what
# that holds of the month is moved, for Postgres would refuse it otherwise.
_ENSURE = """
    create function langroute.ensure_partitions(since timestamptz, until timestamptz)
    returns bigint
    language plpgsql as $$
    declare
        parent text;
        part text;
        month timestamptz;
        month_after timestamptz;
        is_there boolean;
        made bigint := 0;
    begin
        perform pg_advisory_xact_lock(7205759403792794);
        foreach parent in array array['ledger', 'reservations'] loop
            month := date_trunc('month', since, 'UTC');
            while month < until loop
                month_after := (month at time zone 'UTC' + interval '1 month') at time zone 'UTC';
                part := parent || to_char(month at time zone 'UTC', '_YYYY_MM');
                if to_regclass('langroute.' || part) is null then
                    execute format(
                        'create table langroute.%I (like langroute.%I including all)', part, parent
                    );
                    execute format(
                        'create trigger append_only before update or delete or truncate '
                        'on langroute.%I for each statement '
                        'execute function langroute.refuse_change()', part
                    );
                    execute format(
                        'lock table langroute.%I in access exclusive mode', parent || '_default'
                    );
                    execute format(
                        'select exists (select from langroute.%I where at >= $1 and at < $2)',
                        parent || '_default'
                    ) into is_there using month, month_after;
                    if is_there then
                        execute format(
                            'alter table langroute.%I disable trigger append_only',
                            parent || '_default'
                        );
                        execute format(
                            'with moved as ('
                            'delete from langroute.%I where at >= $1 and at < $2 returning *'
                            ') insert into langroute.%I select * from moved',
                            parent || '_default', part
                        ) using month, month_after;
                        execute format(
                            'alter table langroute.%I enable trigger append_only',
                            parent || '_default'
                        );
                    end if;
                    execute format(
                        'alter table langroute.%I attach partition langroute.%I '
                        'for values from (%L) to (%L)', parent, part, month, month_after
                    );
                    made := made + 1;
                end if;
                month := month_after;
            end loop;
        end loop;
        return made;
    end
    $$
"""

# One month at a time: whoever writes waits for the end of the transaction.
_DROP = """
    create function langroute.drop_partitions(until timestamptz) returns text[]
    language plpgsql as $$
    declare
        month text;
        began timestamptz;
        ended timestamptz;
        has_open boolean;
        parent text;
        dropped text[] := '{}';
    begin
        perform pg_advisory_xact_lock(7205759403792794);
        for month in
            select distinct substring(relname from '\\d{4}_\\d{2}$')
            from pg_inherits join pg_class on pg_class.oid = inhrelid
            where inhparent in (
                'langroute.ledger'::regclass, 'langroute.reservations'::regclass
            ) and relname ~ '_\\d{4}_\\d{2}$'
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
            foreach parent in array array['ledger', 'reservations'] loop
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

_FUNCTIONS = (
    _ENSURE,
    """
    comment on function langroute.ensure_partitions(timestamptz, timestamptz) is
    'Makes the months of the ledger and the reservations that are not there. How many.'
    """,
    _DROP,
    """
    comment on function langroute.drop_partitions(timestamptz) is
    'Drops the oldest month that ended by then, but none with a reservation that is open. Which '
    'partitions that were: none where there is nothing to drop.'
    """,
)

_MOVE = (
    """
    select langroute.ensure_partitions(month, month + interval '1 day')
    from (
        select distinct date_trunc('month', at, 'UTC') as month from langroute.ledger_of_before
        order by 1
    ) months
    """,
    "select langroute.ensure_partitions(now(), now() + interval '2 months')",
    f"""
    insert into langroute.ledger ({_CALL}, {_TOKENS}, cost_usd, priced, estimated)
    select {_CALL}, {_TOKENS}, cost_usd, priced, estimated from langroute.ledger_of_before
    """,  # noqa: S608  (names of columns)
    f"""
    insert into langroute.rollups
    select
        (at at time zone 'UTC')::date, key_id, null, null,
        left(model, 200), left(coalesce(provider, ''), 200), '',
        count(*), sum({_PROMPT}), sum({_COMPLETION}), sum(cost_usd),
        count(*) filter (where not priced), count(*) filter (where estimated)
    from langroute.ledger_of_before
    group by 1, 2, 5, 6
    """,  # noqa: S608  (names of columns)
    "drop table langroute.ledger_of_before",
)

# After the rows are there, which is faster, and after the old table's, whose names they take.
_INDEXES = (
    "alter table langroute.ledger add primary key (at, request_id, number)",
    "create index ledger_key_id_at on langroute.ledger (key_id, at)",
    """
    create index ledger_team_id_at on langroute.ledger (team_id, at) where team_id is not null
    """,
    """
    create index ledger_organization_id_at on langroute.ledger (organization_id, at)
    where organization_id is not null
    """,
    "create index ledger_request_id on langroute.ledger (request_id)",
    "alter table langroute.reservations add primary key (at, request_id)",
    "create index reservations_lease_until on langroute.reservations (lease_until)",
    *(
        _REFUSE_CHANGE.format(table)
        for table in ("ledger", "ledger_default", "reservations", "reservations_default")
    ),
)

_UP = (*_LEDGER, *_RESERVATIONS, *_ROLLUPS, *_FUNCTIONS, *_MOVE, *_INDEXES)

_DOWN = (
    "drop function langroute.drop_partitions(timestamptz)",
    "drop function langroute.ensure_partitions(timestamptz, timestamptz)",
    "drop table langroute.rollups",
    "drop table langroute.sweeps",
    "drop table langroute.reservations",
    "alter table langroute.ledger rename to ledger_of_after",
    f"""
    create table langroute.ledger (
        request_id uuid not null,
        key_id uuid not null,
        at timestamptz not null check (at {_TIME}),
        duration_ns bigint not null check (duration_ns >= 0),
        first_byte_ns bigint check (first_byte_ns >= 0),
        model text not null,
        provider text,
        upstream_model text,
        outcome text not null check (
            outcome in ('succeeded', 'failed', 'client_cancelled', 'broken_off', 'expired')
        ),
        error text,
        attempts bigint not null check (attempts >= 0),
        streamed boolean not null,
        input_tokens bigint not null default 0 check (input_tokens >= 0),
        cached_input_tokens bigint not null default 0 check (cached_input_tokens >= 0),
        cache_write_tokens bigint not null default 0 check (cache_write_tokens >= 0),
        audio_input_tokens bigint not null default 0 check (audio_input_tokens >= 0),
        output_tokens bigint not null default 0 check (output_tokens >= 0),
        reasoning_tokens bigint not null default 0 check (reasoning_tokens >= 0),
        audio_output_tokens bigint not null default 0 check (audio_output_tokens >= 0),
        cost_usd numeric(30, 12) not null default 0 check (cost_usd >= 0),
        priced boolean not null default true,
        estimated boolean not null default false,
        image_input_tokens bigint not null default 0 check (image_input_tokens >= 0),
        image_output_tokens bigint not null default 0 check (image_output_tokens >= 0)
    )
    """,
    # Corrections become part of what they correct, so that the totals of the keys stay the sums
    # of their entries.
    f"""
    insert into langroute.ledger ({_CALL}, {_TOKENS}, cost_usd, priced, estimated)
    select
        {", ".join(f"settled.{name.strip()}" for name in _CALL.split(","))},
        {", ".join(f"summed.{name}_tokens" for name in _CLASSES)},
        summed.cost_usd, summed.priced, summed.estimated
    from (
        select
            at, request_id,
            {", ".join(f"sum({name}_tokens) as {name}_tokens" for name in _CLASSES)},
            sum(cost_usd) as cost_usd,
            (array_agg(priced order by number desc))[1] as priced,
            (array_agg(estimated order by number desc))[1] as estimated
        from langroute.ledger_of_after
        group by at, request_id
    ) summed
    join langroute.ledger_of_after settled
        on settled.at = summed.at and settled.request_id = summed.request_id
        and settled.number = 0
    """,  # noqa: S608  (names of columns)
    "drop table langroute.ledger_of_after",
    "alter table langroute.ledger add primary key (request_id)",
    "create index ledger_key_id_at on langroute.ledger (key_id, at)",
    "create index ledger_at on langroute.ledger (at)",
    _REFUSE_CHANGE.format("ledger"),
    "comment on table langroute.ledger is 'One row a call. Rows are added, and never changed.'",
    """
    comment on column langroute.ledger.key_id is
    'Refers to virtual_keys, without a foreign key: what was spent is written down even if the '
    'key is gone by then.'
    """,
    """
    comment on column langroute.ledger.input_tokens is
    'The classes of tokens never overlap: cached input is not counted here again.'
    """,
    """
    comment on column langroute.ledger.priced is
    'False where the model had no price: the cost is unknown then, not nothing.'
    """,
    """
    comment on column langroute.ledger.estimated is
    'The provider told no usage; this is the gateway''s estimate.'
    """,
    """
    comment on column langroute.ledger.image_input_tokens is
    'Nothing where the provider does not tell images from text, and before this column was there: '
    'they are plain input then.'
    """,
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
