"""Counters that are not there yet, with all that the ledger says of their limits."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Ask, Claim, Counted, CounterId
from ...domain.limits import Counter, Limit
from ...domain.periods import Every
from ...domain.rate_window import RateWindow
from ...domain.rebuild import claim_on, rebuilt
from .counter_names import stored_name
from .counters import nothing_settles
from .history import settled_of
from .reservation_rows import unsettled
from .times import to_timestamp

_NOW = text("select langroute.now_ns()")
_KNOWN = text("""
    select limit_id from langroute.counters
    where limit_id = any(cast(:ids as uuid[])) and name = ''
""")
_ADD = text("""
    insert into langroute.counters (
        limit_id, name, length_ns, numbers, amounts, total, oldest,
        began_ns, ends_ns, spent, reserved
    )
    select limit_id, name, length_ns,
        array(select (each ->> 0)::bigint from jsonb_array_elements(slots) each),
        array(select (each ->> 1)::numeric from jsonb_array_elements(slots) each),
        total, oldest, began_ns, ends_ns, spent, reserved
    from jsonb_to_recordset(cast(:counters as jsonb)) made (
        limit_id uuid, name text, length_ns bigint, slots jsonb, total numeric, oldest bigint,
        began_ns bigint, ends_ns bigint, spent numeric, reserved numeric
    )
    on conflict do nothing
""")
_CLAIM = text("""
    insert into langroute.later_claims (at, request_id, limit_id, name, measure, amount, place)
    select at, request_id, limit_id, name, measure, amount, place
    from unnest(
        cast(:ats as timestamptz[]), cast(:request_ids as uuid[]), cast(:limit_ids as uuid[]),
        cast(:names as text[]), cast(:measures as text[]), cast(:amounts as numeric[]),
        cast(:places as bigint[])
    ) later (at, request_id, limit_id, name, measure, amount, place)
    where not exists (
        select from langroute.reservations held
        where held.at = later.at and held.request_id = later.request_id
        and held.store = 'postgres'
        and held.claims @> jsonb_build_array(jsonb_build_object('limit', later.limit_id))
    )
    on conflict do nothing
""")


async def make_counters(
    connection: AsyncConnection,
    counting: Sequence[Counted],
    longest_call_ns: int | None,
    now_ns: int | None = None,
) -> None:
    """A limit that has none yet gets all that it needs for what is in the ledger and under way, and
    one without a name, which tells that it did: another name begins with nothing from then on.

    A call under way that is admitted meanwhile by a gateway that has not heard of the limit is not
    counted. So far back as `longest_call_ns` one may have begun that is counted now; None lets all
    begin with nothing. `now_ns` is for tests.
    """
    made: dict[CounterId, Counter] = {each.counter_id: each.limit.fresh() for each in counting}
    limits = {each.limit.id: each.limit for each in counting}
    if longest_call_ns is not None and len(await _known(connection, limits)) < len(limits):
        await nothing_settles(connection)
        known = await _known(connection, limits)
        new = [limit for limit in limits.values() if limit.id not in known]
        made |= {CounterId(limit.id): limit.fresh() for limit in new}
        moment_ns: int = now_ns or (await connection.execute(_NOW)).scalar_one()
        made |= await _from_the_ledger(connection, new, longest_call_ns, moment_ns)
    # In the order of their keys, in which every transaction locks them.
    rows = {(id_.limit_id.int, stored_name(id_.name)): _row(id_, made[id_]) for id_ in made}
    await connection.execute(_ADD, {"counters": json.dumps([rows[key] for key in sorted(rows)])})


async def _known(connection: AsyncConnection, limits: Mapping[UUID, Limit]) -> set[UUID]:
    return {row.limit_id for row in await connection.execute(_KNOWN, {"ids": list(limits)})}


async def _from_the_ledger(
    connection: AsyncConnection, limits: Sequence[Limit], longest_call_ns: int, now_ns: int
) -> dict[CounterId, Counter]:
    over = await settled_of(connection, limits, now_ns, longest_call_ns)
    under_way: dict[UUID, list[tuple[Ask, Claim]]] = defaultdict(list)
    for held in await unsettled(connection, {limit.scope.id for limit in limits}):
        for limit in limits:
            claim = claim_on(limit, held)
            if claim is not None:
                under_way[limit.id].append((held.ask, claim))
    await _claim(connection, [each for claims in under_way.values() for each in claims])
    made: dict[CounterId, Counter] = {}
    for limit in limits:
        claims = [claim for _, claim in under_way[limit.id]]
        made |= rebuilt(limit, over.get(limit.id, ()), claims, now_ns)
    return made


async def _claim(connection: AsyncConnection, claims: Sequence[tuple[Ask, Claim]]) -> None:
    """From now on they hold that, too, and give back what they do not use."""
    if not claims:
        return
    await connection.execute(
        _CLAIM,
        {
            "ats": [to_timestamp(ask.at_ns) for ask, _ in claims],
            "request_ids": [ask.request_id for ask, _ in claims],
            "limit_ids": [claim.counter.limit_id for _, claim in claims],
            "names": [stored_name(claim.counter.name) for _, claim in claims],
            "measures": [claim.measure.value for _, claim in claims],
            "amounts": [claim.amount for _, claim in claims],
            "places": [claim.place for _, claim in claims],
        },
    )


def _row(counter_id: CounterId, counter: Counter) -> dict[str, Any]:
    row = {"limit_id": str(counter_id.limit_id), "name": stored_name(counter_id.name)}
    nothing = {"slots": [], "total": 0, "oldest": 0, "began_ns": 0, "spent": 0, "reserved": 0}
    if isinstance(counter, RateWindow):
        return {
            **nothing,
            **row,
            "length_ns": counter.length_ns,
            "slots": counter.slots,
            "total": counter.total,
            "oldest": counter.oldest,
        }
    return {
        **nothing,
        **row,
        "began_ns": counter.began_ns,
        # 0, as it is in one without a period, is not known yet.
        "ends_ns": None if counter.period.every is Every.NEVER else counter.ends_ns,
        "spent": counter.spent,
        "reserved": counter.reserved,
    }
