"""What limits have counted, as one statement for all limits that count in the same way."""

from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import TextClause, text

from ...domain.limits import Limit, Measure, Sliding
from ...domain.money import PICO_PER_USD
from ...domain.periods import Period
from ...domain.scopes import ScopeKind
from .daily_sums import ASKED, EVER, SCOPE_COLUMNS, USED, WHOLE_DAYS, daily, may_be_cut, told_by

_BOUND = {
    Measure.REQUESTS: "(held.at is not null)::int",
    Measure.TOKENS: "held.input_bound + held.output_bound",
    Measure.MONEY: f"held.cost_bound_usd * {PICO_PER_USD}",
}
_DROPPED = {
    Measure.REQUESTS: "gone.calls",
    Measure.TOKENS: "gone.tokens",
    Measure.MONEY: f"gone.cost_usd * {PICO_PER_USD}",
}
_NAMES = ("model", "end_user", "tag")
# The last is true of all of them: it tells Postgres which partitions it need not look into.
_HELD = "held.at = entry.at and held.request_id = entry.request_id and held.at >= :since"
_CLAIM = """
    select place, amount
    from (
        select (each ->> 'place')::bigint as place, (each ->> 'amount')::numeric as amount
        from jsonb_array_elements(held.claims) each
        where each ->> 'limit' = asked.id::text
        union all
        select place, amount
        from langroute.later_claims later
        where later.at = held.at
            and later.request_id = held.request_id
            and later.limit_id = asked.id
    ) made
    limit 1
"""


class Shape(NamedTuple):
    """What limits that are read together have in common. `names` are those of a call that decide
    whether, and under which name, they count it."""

    scope: ScopeKind
    measure: Measure
    window: Sliding | Period
    names: tuple[str, ...]


def shape_of(limit: Limit) -> Shape:
    names = tuple(name for name in _NAMES if getattr(limit, name) is not None)
    return Shape(limit.scope.kind, limit.measure, limit.window, names)


@lru_cache(maxsize=256)
def sliding(scope: ScopeKind, measure: Measure, names: tuple[str, ...]) -> TextClause:
    """Rows of id, place, amount, owed and what `names` tell.

    What a call used counts where it was admitted, as far as that was reserved, and from its end
    beyond it; a correction that takes more counts from when it was posted. Only places from
    `:first` on are told, of calls that were asked for `:since` then. Few of those of before the
    window ended in it: of the others, nothing is looked up.
    """
    # Whoever was admitted with nobody knows what counts from its end.
    within = f"least(call.used, coalesce(claim.amount, {_BOUND[measure]}, 0))"
    told = told_by("entry", names)
    grouped = "".join(f", {name}" for name in names)
    return text(f"""
        with counted as (
            select id, began, greatest(began, ended) as ended{grouped},
                sum(kept) as kept, sum(used - kept) as beyond
            from (
                select
                    asked.id{told}, call.used,
                    coalesce(claim.place, call.at_ns / :slot_ns) as began,
                    coalesce(call.posted_ns, call.at_ns + entry.duration_ns) / :slot_ns as ended,
                    case when entry.number = 0 then {within} else least(call.used, 0) end as kept
                from {ASKED}
                join langroute.ledger entry on entry.{SCOPE_COLUMNS[scope]} = asked.scope
                left join langroute.reservations held on {_HELD}
                left join lateral ({_CLAIM}) claim on true
                cross join lateral (
                    select
                        {USED[measure]} as used,
                        (extract(epoch from entry.at) * 1000000)::bigint * 1000 as at_ns,
                        (extract(epoch from entry.posted_at) * 1000000)::bigint * 1000 as posted_ns
                ) call
                where entry.at >= :since and
                    greatest(call.at_ns + entry.duration_ns, call.posted_ns) / :slot_ns >= :first
                -- So that each is reckoned once, and not wherever it is named.
                offset 0
            ) one
            group by id, began, greatest(began, ended){grouped}
        )
        select id, place, owed, sum(amount) as amount{grouped}
        from (
            select id, began as place, false as owed, kept as amount{grouped} from counted
            union all
            select id, ended as place, true as owed, beyond as amount{grouped} from counted
        ) added
        where place >= :first and amount <> 0
        group by id, place, owed{grouped}
    """)  # noqa: S608  (names of ours)


@lru_cache(maxsize=256)
def by_period(scope: ScopeKind, measure: Measure, names: tuple[str, ...]) -> TextClause:
    """Rows of id, place, amount, owed and what `names` tell, of the period that is `:place`, and
    `:began` then, and of later ones.

    `:since` and `:until` are soon before and after that: of a call that was asked for in between,
    it is looked up in which period it was admitted. So it is of those that were asked for once the
    period `:ends`: the clock has been set back since. What never begins anew, at 0, has
    counted months that are dropped, too: see migration 0015. Of a period of many days, those from
    `:first_day` until `:last_day` are read as the sums that there are of each.
    """
    columns = f"asked.id{told_by('entry', names)}, {USED[measure]} as amount"
    entries = f"langroute.ledger entry on entry.{SCOPE_COLUMNS[scope]} = asked.scope"
    at_place = f"""
        select {columns}, cast(:place as bigint) as place from {ASKED} join {entries}
    """  # noqa: S608  (names of ours)
    looked_up = f"""
        select {columns}, coalesce(claim.place, case
            when entry.at >= :ends then cast(:next as bigint)
            when entry.at >= :began then cast(:place as bigint)
        end) as place
        from {ASKED} join {entries}
        left join langroute.reservations held on {_HELD}
        left join lateral ({_CLAIM}) claim on true
    """  # noqa: S608  (names of ours)
    if "end_user" in names:
        within = f"{at_place} where entry.at >= :until and entry.at < :ends"
    else:
        within = f"""
            {at_place}
            where entry.at >= :until and entry.at < :ends
                and (entry.at < :first_day or entry.at >= :last_day)
            union all
            select summed.id{told_by("summed", names)}, summed.amount, cast(:place as bigint)
            from ({daily(scope, measure, names, WHOLE_DAYS)}) summed
        """  # noqa: S608  (names of ours)
    grouped = "".join(f", {name}" for name in names)
    by_end_user = "is not null" if "end_user" in names else "is null"
    return text(f"""
        select id, place, false as owed, sum(amount) as amount{grouped}
        from (
            {within}
            union all
            {looked_up} where entry.at >= :since and entry.at < :until
            union all
            {looked_up} where entry.at >= greatest(:until, :ends)
            union all
            select asked.id{told_by("gone", names)}, {_DROPPED[measure]}, cast(:place as bigint)
            from {ASKED}
            join langroute.dropped_sums gone on gone.{SCOPE_COLUMNS[scope]} = asked.scope
            where :place = 0 and gone.end_user {by_end_user}
        ) counted
        where place >= :place
        group by id, place{grouped}
    """)  # noqa: S608  (names of ours)


@lru_cache(maxsize=64)
def for_good(scope: ScopeKind, measure: Measure, names: tuple[str, ...]) -> TextClause:
    """The same, of what never begins anew and does not tell end users apart: the sums by day have
    all of it, months that are dropped included, in far fewer rows."""
    gone = f"langroute.dropped_sums gone on gone.{SCOPE_COLUMNS[scope]} = asked.scope"
    grouped = "".join(f", {name}" for name in names)
    return text(f"""
        select id, 0::bigint as place, false as owed, sum(amount) as amount{grouped}
        from (
            {daily(scope, measure, names, EVER)}
            union all
            select asked.id{told_by("gone", names)}, {_DROPPED[measure]}
            from {ASKED} join {gone}
            where gone.end_user is null and {may_be_cut("gone", names)}
        ) counted
        group by id{grouped}
    """)  # noqa: S608  (names of ours)


OVER = text("""
    select entry.request_id
    from unnest(cast(:ats as timestamptz[]), cast(:ids as uuid[])) as doubted (at, id)
    join langroute.ledger entry
        on entry.at = doubted.at and entry.request_id = doubted.id and entry.number = 0
""")
