"""Limits that several gateways share: what each limit has counted, and the functions that decide.

They do what `domain.admission.decide`, `domain.rate_window` and `domain.cost_ledger` do; a test
holds them against those. Every transaction locks counters in the order of their keys, so none waits
for another in turn; what it does goes by what it reads once it holds them, so nothing is lost, and
nothing has to be repeated.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = (
    """
    create table langroute.counters (
        limit_id uuid not null,
        name text collate "C" not null,
        length_ns bigint check (length_ns >= 250),
        numbers bigint[] not null default '{}',
        amounts numeric[] not null default '{}',
        total numeric not null default 0,
        oldest bigint not null default 0,
        began_ns bigint not null default 0,
        ends_ns bigint,
        spent numeric not null default 0,
        reserved numeric not null default 0,
        primary key (limit_id, name)
    )
    -- Each admission writes the row anew: with room beside it, the index stays as it is.
    with (fillfactor = 50)
    """,
    """
    comment on table langroute.counters is
    'What limits have counted, where LANGROUTE_ADMISSION is postgres. A limit without any row is '
    'given what the ledger says; so is one whose rows are all deleted.'
    """,
    """
    comment on column langroute.counters.name is
    'Of the end user, the tag, or both, where the limit counts them apart; else empty.'
    """,
    """
    comment on column langroute.counters.length_ns is
    'Of a window that slides: its 250 slots are numbers, amounts, total and oldest. Null for a '
    'day, week or month of the calendar: began_ns, ends_ns, spent and reserved.'
    """,
    """
    comment on column langroute.counters.ends_ns is
    'Null: never. 0: not known yet: the period is the one around began_ns, or a later one.'
    """,
    """
    create table langroute.later_claims (
        at timestamptz not null,
        request_id uuid not null,
        limit_id uuid not null,
        name text not null,
        measure text not null,
        amount numeric not null,
        place bigint not null,
        primary key (at, request_id, limit_id)
    )
    """,
    """
    comment on table langroute.later_claims is
    'What calls under way hold of limits that had no counter when they were admitted.'
    """,
)

_COUNTER_AT = """
    create function langroute.counter_at(c langroute.counters, now_ns bigint, bounds bigint[])
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
            if c.numbers[1] < number - 250 then
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
_COMMENT_COUNTER_AT = """
    comment on function langroute.counter_at is
    'The counter as time has changed it. bounds are when the periods around now begin, one after '
    'the other; null for whoever does not know them.'
"""

_ADD = """
    create function langroute.with_amount(c langroute.counters, amount numeric, now_ns bigint)
    returns langroute.counters
    language plpgsql immutable as $$
    declare
        last int := cardinality(c.numbers);
        number bigint := greatest(now_ns / (c.length_ns / 250), c.oldest, c.numbers[last]);
    begin
        if c.numbers[last] = number then
            c.amounts[last] := c.amounts[last] + amount;
        else
            c.numbers := c.numbers || number;
            c.amounts := c.amounts || amount;
        end if;
        c.total := c.total + amount;
        return c;
    end
    $$
"""

_UNTIL_FREE = """
    create function langroute.until_free(c langroute.counters, needed numeric, now_ns bigint)
    returns bigint
    language sql immutable
    return (
        case when c.length_ns is null then c.ends_ns - least(c.ends_ns, now_ns)
        else coalesce((
            select greatest(0, (max(slot.number) + 251) * (c.length_ns / 250) - now_ns)
            from (
                select number, sum(amount) over (order by number) - amount as freed_before
                from unnest(c.numbers, c.amounts) each (number, amount)
            ) slot where slot.freed_before < needed
        ), 0) end
    )
"""
_COMMENT_UNTIL_FREE = """
    comment on function langroute.until_free is
    'How long, in nanoseconds, until so much of it is free again. Null: never.'
"""

_UNTIL_ALL_FREE = """
    create function langroute.until_all_free(c langroute.counters, now_ns bigint)
    returns bigint
    language plpgsql immutable as $$
    begin
        if c.length_ns is null then
            return c.ends_ns - least(c.ends_ns, now_ns);
        end if;
        for slot in reverse cardinality(c.amounts) .. 1 loop
            if c.amounts[slot] <> 0 then
                return greatest(0, (c.numbers[slot] + 251) * (c.length_ns / 250) - now_ns);
            end if;
        end loop;
        return 0;
    end
    $$
"""

_KEEP = """
    create function langroute.keep_counter(c langroute.counters) returns void
    language plpgsql as $$
    begin
        if c.length_ns is null then
            update langroute.counters
            set began_ns = c.began_ns, ends_ns = c.ends_ns, spent = c.spent, reserved = c.reserved
            where limit_id = c.limit_id and name = c.name;
        else
            update langroute.counters
            set numbers = c.numbers, amounts = c.amounts, total = c.total, oldest = c.oldest
            where limit_id = c.limit_id and name = c.name;
        end if;
    end
    $$
"""

_ADMIT = """
    create function langroute.admit(
        given_now_ns bigint,
        taking boolean,
        limit_ids uuid[],
        names text[],
        bounds bigint[],
        allowed numeric[],
        soft boolean[],
        measures text[],
        asked numeric[],
        at timestamptz,
        request_id uuid,
        key_id uuid,
        team_id uuid,
        organization_id uuid,
        end_user text,
        tag text,
        model text,
        streamed boolean,
        lease_until timestamptz,
        input_bound bigint,
        output_bound bigint,
        cost_bound_usd numeric,
        priced boolean,
        out missing boolean,
        out admitted boolean,
        out places bigint[],
        out used numeric[],
        out fits boolean[],
        out waits bigint[],
        out resets bigint[]
    )
    language plpgsql as $$
    declare
        c langroute.counters;
        counters langroute.counters[] := '{}';
        now_ns bigint;
        claims jsonb[] := '{}';
    begin
        missing := false;
        admitted := true;
        for i in 1 .. cardinality(limit_ids) loop
            if taking then
                select * into c from langroute.counters
                where limit_id = limit_ids[i] and name = names[i] for update;
            else
                select * into c from langroute.counters
                where limit_id = limit_ids[i] and name = names[i];
            end if;
            if not found then
                missing := true;
                return;
            end if;
            counters[i] := c;
        end loop;
        -- Not before: who waited for a counter must not put anything in its past.
        now_ns := coalesce(given_now_ns, langroute.now_ns());
        for i in 1 .. cardinality(limit_ids) loop
            c := counters[i];
            if now_ns >= c.ends_ns or c.numbers[1] < now_ns / (c.length_ns / 250) - 250 then
                c := langroute.counter_at(c, now_ns, bounds[4 * i - 3 : 4 * i]);
                counters[i] := c;
            end if;
            used[i] := case when c.length_ns is null then c.spent + c.reserved else c.total end;
            fits[i] := used[i] + asked[i] <= allowed[i];
            admitted := admitted and (fits[i] or soft[i]);
            waits[i] := null;
            if not fits[i] and asked[i] <= allowed[i] then
                waits[i] := langroute.until_free(c, used[i] + asked[i] - allowed[i], now_ns);
            end if;
        end loop;
        if not (admitted and taking) then
            for i in 1 .. cardinality(limit_ids) loop
                resets[i] := langroute.until_all_free(counters[i], now_ns);
            end loop;
            return;
        end if;
        for i in 1 .. cardinality(limit_ids) loop
            c := counters[i];
            used[i] := used[i] + asked[i];
            if c.length_ns is null then
                places[i] := c.began_ns;
                resets[i] := c.ends_ns - least(c.ends_ns, now_ns);
                update langroute.counters
                set began_ns = c.began_ns, ends_ns = c.ends_ns, spent = c.spent,
                    reserved = c.reserved + asked[i]
                where limit_id = limit_ids[i] and name = names[i];
            else
                c := langroute.with_amount(c, asked[i], now_ns);
                places[i] := c.numbers[cardinality(c.numbers)];
                resets[i] := langroute.until_all_free(c, now_ns);
                update langroute.counters
                set numbers = c.numbers, amounts = c.amounts, total = c.total, oldest = c.oldest
                where limit_id = limit_ids[i] and name = names[i];
            end if;
            claims[i] := jsonb_build_object(
                'limit', limit_ids[i], 'name', names[i], 'measure', measures[i],
                'amount', asked[i], 'place', places[i]
            );
        end loop;
        insert into langroute.reservations (
            at, request_id, key_id, team_id, organization_id, end_user, tag, model, streamed,
            lease_until, input_bound, output_bound, cost_bound_usd, priced, claims, store
        )
        values (
            at, request_id, key_id, team_id, organization_id, end_user, tag, model, streamed,
            lease_until, input_bound, output_bound, cost_bound_usd, priced, to_jsonb(claims),
            'postgres'
        );
    end
    $$
"""
_COMMENT_ADMIT = """
    comment on function langroute.admit is
    'One call and all limits that count it, in the order of limit_id and name. bounds: for each of '
    'them four moments, at which the periods around now begin. Where a counter is missing, nothing '
    'is decided; without taking, nothing is taken. A time that is given is for tests.'
"""

_SETTLED = """
    create function langroute.settled_counter(
        c langroute.counters, place bigint, reserved numeric, actual numeric, now_ns bigint
    )
    returns langroute.counters
    language plpgsql immutable as $$
    declare
        slot int;
    begin
        if c.length_ns is null then
            if place = c.began_ns and c.ends_ns is distinct from 0 then
                c.spent := c.spent + actual;
                c.reserved := c.reserved - reserved;
            end if;
            return c;
        end if;
        if actual > reserved then
            return langroute.with_amount(c, actual - reserved, now_ns);
        end if;
        slot := array_position(c.numbers, place);
        if slot is not null then
            c.amounts[slot] := c.amounts[slot] - (reserved - actual);
            c.total := c.total - (reserved - actual);
        end if;
        return c;
    end
    $$
"""

_SETTLE = """
    create function langroute.settle(
        given_now_ns bigint,
        ats timestamptz[],
        request_ids uuid[],
        is_correction boolean[],
        tokens numeric[],
        picodollars numeric[]
    )
    returns void
    language plpgsql as $$
    declare
        c langroute.counters;
        claim record;
        is_there boolean := false;
        now_ns bigint := coalesce(given_now_ns, langroute.now_ns());
    begin
        -- Whoever reads the ledger to make a counter has to see these, or wait with what is here.
        perform pg_advisory_xact_lock_shared(7205759403792795);
        for claim in
            select k.limit_id, k.name, k.place,
                case when e.is_correction then 0 else k.amount end as reserved,
                case k.measure
                    when 'tokens' then e.tokens
                    when 'money' then e.picodollars
                    when 'requests' then case when e.is_correction then 0 else 1 end
                    else 0
                end as actual
            from unnest(ats, request_ids, is_correction, tokens, picodollars) with ordinality
                e (at, request_id, is_correction, tokens, picodollars, position)
            join langroute.reservations held on held.at = e.at and held.request_id = e.request_id
            cross join lateral (
                select told."limit" as limit_id, told.name, measure, amount, place
                from jsonb_to_recordset(held.claims) told
                    ("limit" uuid, name text, measure text, amount numeric, place bigint)
                where held.store = 'postgres'
                union all
                select later.limit_id, later.name, measure, amount, place
                from langroute.later_claims later
                where later.at = e.at and later.request_id = e.request_id
            ) k
            order by k.limit_id, k.name collate "C", e.position
        loop
            if (claim.limit_id, claim.name) is distinct from (c.limit_id, c.name) then
                if is_there then
                    perform langroute.keep_counter(c);
                end if;
                select * into c from langroute.counters
                where limit_id = claim.limit_id and name = claim.name for update;
                is_there := found;
                if is_there then
                    c := langroute.counter_at(c, now_ns, null);
                else
                    c.limit_id := claim.limit_id;
                    c.name := claim.name;
                end if;
            end if;
            if is_there then
                c := langroute.settled_counter(
                    c, claim.place, claim.reserved, claim.actual, now_ns
                );
            end if;
        end loop;
        if is_there then
            perform langroute.keep_counter(c);
        end if;
    end
    $$
"""
_COMMENT_SETTLE = """
    comment on function langroute.settle is
    'Entries that have just been added to the ledger: what they used takes the place of what was '
    'reserved. A correction adds its difference. A counter that is gone is made from the ledger '
    'when it is asked for, with these in it.'
"""

_NOW = """
    create function langroute.now_ns() returns bigint
    language sql volatile
    return (extract(epoch from clock_timestamp()) * 1000000)::bigint * 1000
"""

_UP = (
    *_TABLES,
    _NOW,
    _COUNTER_AT,
    _COMMENT_COUNTER_AT,
    _ADD,
    _UNTIL_FREE,
    _COMMENT_UNTIL_FREE,
    _UNTIL_ALL_FREE,
    _KEEP,
    _SETTLED,
    _ADMIT,
    _COMMENT_ADMIT,
    _SETTLE,
    _COMMENT_SETTLE,
)

_DOWN = (
    "drop function langroute.settle",
    "drop function langroute.admit",
    "drop function langroute.settled_counter",
    "drop function langroute.keep_counter",
    "drop function langroute.until_all_free",
    "drop function langroute.until_free",
    "drop function langroute.with_amount",
    "drop function langroute.counter_at",
    "drop function langroute.now_ns",
    "drop table langroute.later_claims",
    "drop table langroute.counters",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
