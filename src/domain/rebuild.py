"""Counters as what is written down says they must be: the ledger's entries, and calls under way."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from .admission import Ask, Claim, CounterId, Reservation, used_amount
from .corrections import BookedCall, Correction
from .cost_ledger import CostLedger
from .ids import KeyId, OrganizationId, TeamId
from .ledger import LedgerEntry
from .limits import Counter, Limit, Measure, Sliding
from .rate_window import NS_PER_S, SLOTS, RateWindow
from .scopes import ScopeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What calls that are over add to one of a limit's counters. `place` is where, as in a Claim:
    the number of a slot, or when a period began. Below 0 where a correction gives back; `owed`
    where it goes beyond what was reserved, and so counts from when that was known."""

    name: str = ""
    place: int
    amount: int
    owed: bool = False


def place_of(limit: Limit, at_ns: int) -> int:
    """Where what was used at that time counts."""
    if isinstance(limit.window, Sliding):
        return at_ns // (limit.window.seconds * NS_PER_S // SLOTS)
    return limit.window.around(at_ns)[0]


def first_place(limit: Limit, now_ns: int) -> int:
    """What has an earlier place than this counts no more."""
    place = place_of(limit, now_ns)
    return max(0, place - SLOTS) if isinstance(limit.window, Sliding) else place


def counts(limit: Limit, call: Ask | LedgerEntry) -> CounterId | None:
    """Under which of its counters the limit counts a call, whoever's it is."""
    scope = limit.scope
    if scope.id != _member(call, scope.kind):
        return None
    name = limit.counts(model=call.model, end_user=call.end_user, tag=call.tag)
    return None if name is None else CounterId(limit.id, name)


def claim_on(limit: Limit, held: Reservation) -> Claim | None:
    """What a call under way holds of a limit: its claim, or, where it was admitted before there
    was such a limit, the one it would have made."""
    counter = counts(limit, held.ask)
    if counter is None:
        return None
    for claim in held.claims:
        if claim.counter.limit_id == limit.id:
            # What is written of it may have a shorter name.
            return claim if claim.counter == counter else claim._replace(counter=counter)
    return Claim(
        counter=counter,
        measure=limit.measure,
        amount=held.ask.amount(limit.measure),
        place=place_of(limit, held.ask.at_ns),
    )


def scopes_of(call: Ask | LedgerEntry) -> Iterator[UUID]:
    """Whose it is: its key, its team and its organization, as far as it has them."""
    for each in (call.key_id, call.team_id, call.organization_id):
        if each is not None:
            yield each


def by_scope(calls: Iterable[Reservation]) -> Mapping[UUID, Sequence[Reservation]]:
    """Under their keys, teams and organizations: a limit need not look at those of all others."""
    found: dict[UUID, list[Reservation]] = defaultdict(list)
    for held in calls:
        for scope in scopes_of(held.ask):
            found[scope].append(held)
    return found


def claims_on(
    limits: Iterable[Limit], calls: Mapping[UUID, Sequence[Reservation]]
) -> Mapping[CounterId, Sequence[Claim]]:
    """What calls under way, by scope, hold of each counter of these limits."""
    found: dict[CounterId, list[Claim]] = defaultdict(list)
    for limit in limits:
        for held in calls.get(limit.scope.id, ()):
            claim = claim_on(limit, held)
            if claim is not None:
                found[claim.counter].append(claim)
    return found


def tallies(limit: Limit, entry: LedgerEntry, held: Reservation | None = None) -> Iterable[Tally]:
    """What a call that is over adds to a limit's counters; `held` is what it was admitted with,
    where the entry itself does not have it.

    What goes beyond its claim is owed from its end. Without `held` nobody knows how much that is:
    then all of it counts from the end, which forgives nothing.
    """
    held = held or entry.held
    claim = None if held is None else claim_on(limit, held)
    counter = counts(limit, entry) if claim is None else claim.counter
    used = used_amount(limit.measure, entry.usage, entry.cost)
    if counter is None or limit.measure is Measure.PARALLEL:
        return
    began = place_of(limit, entry.at_ns) if claim is None else claim.place
    if not isinstance(limit.window, Sliding):
        yield Tally(name=counter.name, place=began, amount=used)
        return
    ended = max(began, place_of(limit, entry.at_ns + entry.duration_ns))
    claimed = 0 if claim is None else min(used, claim.amount)
    if claim is not None:
        yield Tally(name=counter.name, place=began, amount=claimed)
    if used > claimed:
        yield Tally(name=counter.name, place=ended, amount=used - claimed, owed=True)


def tallies_of(limit: Limit, call: BookedCall, held: Reservation | None = None) -> list[Tally]:
    """Those of its corrections included: what one gives back is given back where it was taken, what
    one takes is owed from when it was posted."""
    corrected = (tally_of(limit, correction, held) for correction in call.corrections)
    return [*tallies(limit, call.entry, held), *(each for each in corrected if each is not None)]


def tally_of(limit: Limit, correction: Correction, held: Reservation | None) -> Tally | None:
    """What a correction adds by itself."""
    entry = correction.entry
    held = held or entry.held
    counter = counts(limit, entry)
    more = 0
    if limit.measure is Measure.TOKENS:
        more = correction.usage.total
    elif limit.measure is Measure.MONEY:
        more = correction.cost.pico
    if counter is None or not more:
        return None
    claim = None if held is None else claim_on(limit, held)
    place = place_of(limit, entry.at_ns) if claim is None else claim.place
    owed = more > 0 and isinstance(limit.window, Sliding)
    if owed:
        place = max(place, place_of(limit, correction.posted_at_ns))
    return Tally(name=counter.name, place=place, amount=more, owed=owed)


def rebuilt(
    limit: Limit, over: Iterable[Tally], under_way: Iterable[Claim], now_ns: int
) -> dict[CounterId, Counter]:
    """The limit's counters, those that hold anything. They admit what the lost ones would have
    admitted, and never more; `under_way` are claims on this limit."""
    spent: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    reserved: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for tally in over:
        spent[tally.name][tally.place] += tally.amount
    for claim in under_way:
        reserved[claim.counter.name][claim.place] += claim.amount
    return {
        CounterId(limit.id, name): _counter(limit, spent[name], reserved[name], now_ns)
        for name in {**spent, **reserved}
    }


def _counter(limit: Limit, spent: dict[int, int], reserved: dict[int, int], now_ns: int) -> Counter:
    if isinstance(limit.window, Sliding):
        amounts = defaultdict(int, spent)
        for place, amount in reserved.items():
            amounts[place] += amount
        return RateWindow.holding(limit.window.seconds * NS_PER_S, amounts, now_ns)
    # A clock that was set back has not begun an earlier period.
    began_ns = max(place_of(limit, now_ns), *spent, *reserved)
    return CostLedger.holding(
        limit.window, began_ns, spent.get(began_ns, 0), reserved.get(began_ns, 0)
    )


def _member(call: Ask | LedgerEntry, kind: ScopeKind) -> KeyId | TeamId | OrganizationId | None:
    match kind:
        case ScopeKind.KEY:
            return call.key_id
        case ScopeKind.TEAM:
            return call.team_id
        case ScopeKind.ORGANIZATION:
            return call.organization_id
