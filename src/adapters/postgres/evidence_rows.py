"""What is kept added up, beside what the ledger adds up to; and what stands alone."""

from sqlalchemy import text

from ...domain.usage import INPUT_CLASSES, OUTPUT_CLASSES
from .postings import LONGEST_NAME

_PROMPT = " + ".join(f"{name}_tokens" for name in INPUT_CLASSES)
_COMPLETION = " + ".join(f"{name}_tokens" for name in OUTPUT_CLASSES)
_HEADING = "day, key_id, team_id, organization_id, model, provider, tag"
_SUMS = (
    *("calls", "prompt_tokens", "completion_tokens", "cost_usd"),
    *("unpriced_calls", "estimated_calls"),
)

NOW = text("select (extract(epoch from clock_timestamp()) * 1000000)::bigint * 1000 as now_ns")

# Months that were dropped live on in the sums by day alone.
FIRST_DAY = text("""
    select (
        date_trunc('month', coalesce(min(at), now()), 'UTC') at time zone 'UTC'
    )::date as first_day
    from langroute.ledger
""")

_IS_DROPPED = """
    day < :first_day
    or date_trunc('month', day)::date in (select month from langroute.dropped_sums)
"""

TOTALS = text(f"""
    select
        id,
        total_calls as calls, total_tokens as tokens, total_cost as cost_usd,
        coalesce(entries.calls, 0) as expected_calls,
        coalesce(entries.tokens, 0) as expected_tokens,
        coalesce(entries.cost_usd, 0) as expected_cost_usd
    from langroute.virtual_keys
    left join (
        select key_id, sum(calls) as calls, sum(tokens) as tokens, sum(cost_usd) as cost_usd
        from (
            select key_id, (number = 0)::int as calls,
                {_PROMPT} + {_COMPLETION} as tokens, cost_usd
            from langroute.ledger
            union all
            select key_id, calls, prompt_tokens + completion_tokens, cost_usd
            from langroute.rollups where {_IS_DROPPED}
        ) entries
        group by key_id
    ) entries on entries.key_id = id
    where (total_calls, total_tokens, total_cost) is distinct from (
        coalesce(entries.calls, 0), coalesce(entries.tokens, 0), coalesce(entries.cost_usd, 0)
    )
    order by id
    limit :most
""")  # noqa: S608  (names of ours)

ROLLUPS_THAT_DIFFER = text(f"""
    select {_HEADING}, {", ".join(f"sum({each}) as {each}" for each in _SUMS)},
        {", ".join(f"sum(expected_{each}) as expected_{each}" for each in _SUMS)}
    from (
        select {_HEADING}, {", ".join(_SUMS)},
            {", ".join(f"0 as expected_{each}" for each in _SUMS)}
        from langroute.rollups where not ({_IS_DROPPED})
        union all
        select
            (at at time zone 'UTC')::date, key_id, team_id, organization_id,
            left(model, {LONGEST_NAME}), left(coalesce(provider, ''), {LONGEST_NAME}),
            left(coalesce(tag, ''), {LONGEST_NAME}),
            0, 0, 0, 0, 0, 0,
            (number = 0)::int, {_PROMPT}, {_COMPLETION}, cost_usd,
            (is_last and not priced)::int, (is_last and estimated)::int
        from (
            select *, number = max(number) over (partition by at, request_id) as is_last
            from langroute.ledger
        ) entries
    ) sums
    group by {_HEADING}
    having {" or ".join(f"sum({each}) <> sum(expected_{each})" for each in _SUMS)}
    order by {_HEADING}
    limit :most
""")  # noqa: S608

# Those written just now may be overtaken by their counterparts; calls of before reservations were
# kept have none.
ENTRIES_ALONE = text("""
    select at, request_id from langroute.ledger entry
    where number = 0
        and at >= (select min(at) from langroute.reservations)
        and at + duration_ns / 1000 * interval '1 microsecond' < now() - interval '2 minutes'
        and not exists (
            select from langroute.reservations held
            where held.at = entry.at and held.request_id = entry.request_id
        )
    order by at, request_id
    limit :most
""")

RESERVATIONS_ALONE = text("""
    select at, request_id, lease_until from langroute.reservations held
    where lease_until < now() - interval '2 minutes'
        and not exists (
            select from langroute.ledger entry
            where entry.at = held.at and entry.request_id = held.request_id and number = 0
        )
    order by at, request_id
    limit :most
""")

CORRECTIONS_ALONE = text("""
    select at, request_id, number from langroute.ledger correction
    where number > 0
        and not exists (
            select from langroute.ledger entry
            where entry.at = correction.at
                and entry.request_id = correction.request_id
                and entry.number = correction.number - 1
        )
    order by at, request_id, number
    limit :most
""")

COUNTS = text("""
    select
        (select count(*) from langroute.virtual_keys) as keys,
        (select count(*) from langroute.rollups) as sums_by_day,
        (select count(*) from langroute.ledger) as entries,
        (select count(*) from langroute.reservations) as reservations
""")

# Those that are counted once more have not counted all yet.
COUNTED_LIMITS = text("""
    select distinct limit_id from langroute.counters
    where limit_id not in (select limit_id from langroute.recounts)
    order by limit_id
""")

COUNTERS = text("""
    select * from langroute.counters
    where limit_id = any(cast(:limit_ids as uuid[]))
    order by limit_id, name
""")

SCOPES = text("""
    select id, 'key' as kind, requests_per_minute, tokens_per_minute from langroute.virtual_keys
    union all select id, 'team', null, null from langroute.teams
    union all select id, 'organization', null, null from langroute.organizations
""")

LATER_CLAIMS = text("""
    select later.* from langroute.later_claims later
    where not exists (
        select from langroute.ledger entry
        where entry.at = later.at and entry.request_id = later.request_id
    )
""")
