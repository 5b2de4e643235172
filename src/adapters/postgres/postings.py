"""How a batch of postings is added to the ledger, to all that is kept added up of it, and to the
counters of limits: one statement, so one round trip, and all of it or nothing."""

from .columns import recordset
from .tables.calls import ALL_TOKENS, LEDGER, ROLLUPS
from .tables.organizations import VIRTUAL_KEYS
from .tables.schema import SCHEMA
from .texts import storable

# The key of an index has room for some 2,700 bytes.
LONGEST_NAME = 200

_LEDGER = f"{SCHEMA}.{LEDGER.name}"
_ROLLUPS = f"{SCHEMA}.{ROLLUPS.name}"
_KEYS = f"{SCHEMA}.{VIRTUAL_KEYS.name}"

_HEADING = {
    "day": "(at at time zone 'UTC')::date",
    "key_id": "key_id",
    "team_id": "team_id",
    "organization_id": "organization_id",
    "model": f"left(model, {LONGEST_NAME})",
    "provider": f"left(coalesce(provider, ''), {LONGEST_NAME})",
    "tag": f"left(coalesce(tag, ''), {LONGEST_NAME})",
}
CHARGED = tuple(
    each for each in ROLLUPS.c if each.name not in LEDGER.c and each.name not in _HEADING
)
"""What a row has besides the ledger's own columns: see `Charge`."""

_SUMMED = [each.name for each in ROLLUPS.c if each.name not in _HEADING]
_ADDED = [each.name for each in LEDGER.c]

POST = f"""
    with posted as (
        select *, row_number() over () - 1 as place from {recordset([*LEDGER.c, *CHARGED])}
    ),
    added as (
        insert into {_LEDGER} ({", ".join(_ADDED)}) select {", ".join(_ADDED)} from posted
        on conflict (at, request_id, number) do nothing
        returning at, request_id, number
    ),
    charged as (select posted.* from posted join added using (at, request_id, number)),
    -- Locked in one order, so that two gateways that write at once never wait for each other in
    -- turn; held, they keep those two from adding to the same sums at once, too.
    locked as (
        select id from {_KEYS} where id in (select key_id from charged)
        order by id for no key update
    ),
    totals as (
        update {_KEYS} k
        set total_cost = k.total_cost + spent.cost_usd,
            total_tokens = k.total_tokens + spent.tokens,
            total_calls = k.total_calls + spent.calls
        from locked join (
            select key_id as id, sum(cost_usd) as cost_usd, sum(calls) as calls,
                sum(prompt_tokens + completion_tokens) as tokens
            from charged group by key_id
        ) spent using (id)
        where k.id = locked.id
        returning k.id
    ),
    -- In one order all the same: a key may be gone, and lock nothing.
    rolled_up as (
        insert into {_ROLLUPS} as kept ({", ".join([*_HEADING, *_SUMMED])})
        select {", ".join([*_HEADING.values(), *(f"sum({name})" for name in _SUMMED)])}
        from charged where (select count(*) from totals) >= 0
        group by {", ".join(str(place) for place, _ in enumerate(_HEADING, 1))}
        order by {", ".join(str(place) for place, _ in enumerate(_HEADING, 1))}
        on conflict ({", ".join(_HEADING)})
        do update set {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in _SUMMED)}
        returning day
    )
    select places, {SCHEMA}.settle($2, ats, ids, are_corrections, tokens, pico)
    from (
        select
            coalesce(array_agg(place order by place), '{{}}') as places,
            array_agg(at order by place) as ats,
            array_agg(request_id order by place) as ids,
            array_agg(number > 0 order by place) as are_corrections,
            array_agg({ALL_TOKENS}::numeric order by place) as tokens,
            array_agg(cost_usd * 1000000000000 order by place) as pico
        from charged where (select count(*) from rolled_up) >= 0
    ) settled
"""  # noqa: S608  (names of columns)
"""Takes rows as JSON, with what is charged for each, and the time in nanoseconds, or null for
Postgres' own. Its first column tells the places, from 0, of those that were not there before.

In the order in which they are told they are added: two gateways that write the same must have the
same, or they may wait for each other in turn."""


def sum_name(text: str | None) -> str:
    """As it is told apart from others in the rollups."""
    return (storable(text) or "")[:LONGEST_NAME]
