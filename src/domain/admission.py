import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from .ids import KeyId, OrganizationId, RequestId, TeamId
from .limits import Counter, Limit, Measure, Refusal, Standing
from .money import ZERO, Money
from .usage import TokenUsage

Amounts = Mapping[Measure, int]
"""What a call adds to limits, by what they count."""

# Looked up once: a member of an enumeration takes as long as a call.
_REQUESTS, _TOKENS, _MONEY, _PARALLEL = Measure

# When a call under way ends, nobody knows: this is when to ask again.
_PARALLEL_WAIT_NS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call that wants to be admitted: whose it is, and the most that it can use and cost."""

    request_id: RequestId
    key_id: KeyId
    team_id: TeamId | None = None
    organization_id: OrganizationId | None = None
    end_user: str | None = None
    tag: str | None = None
    model: str
    streamed: bool
    at_ns: int
    lease_until_ns: int
    input_bound: int
    output_bound: int
    cost_bound: Money = ZERO
    priced: bool = True

    @property
    def tokens(self) -> int:
        return self.input_bound + self.output_bound

    @property
    def usage_bound(self) -> TokenUsage:
        return TokenUsage(input=self.input_bound, output=self.output_bound)

    @property
    def amounts(self) -> Amounts:
        """The most that it can add to a limit's count."""
        return {_REQUESTS: 1, _TOKENS: self.tokens, _MONEY: self.cost_bound.pico, _PARALLEL: 1}

    def amount(self, measure: Measure) -> int:
        return self.amounts[measure]


def used_amounts(usage: TokenUsage, cost: Money) -> Amounts:
    """What it did add, now that it is over."""
    return {_REQUESTS: 1, _TOKENS: usage.total, _MONEY: cost.pico, _PARALLEL: 0}


def used_amount(measure: Measure, usage: TokenUsage, cost: Money) -> int:
    return used_amounts(usage, cost)[measure]


class CounterId(NamedTuple):
    """One of a limit's counters: `name` is the end user's, or the tag's, if those are counted
    apart."""

    limit_id: UUID
    name: str = ""


class Claim(NamedTuple):
    """What a call holds of one limit. `place` is where its counter has put it."""

    counter: CounterId
    measure: Measure
    amount: int
    place: int

    def settle(self, counter: Counter, usage: TokenUsage, cost: Money, now_ns: int) -> Counter:
        actual = used_amount(self.measure, usage, cost)
        return counter.settle(self.place, self.amount, actual, now_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """An admitted call's claims, to be settled exactly once. `warnings` are the soft limits that it
    goes beyond."""

    ask: Ask
    claims: tuple[Claim, ...] = ()
    warnings: tuple[Limit, ...] = ()


class Counted(NamedTuple):
    """A limit that counts this call, and where."""

    limit: Limit
    counter_id: CounterId


def counted(ask: Ask, limits: Sequence[Limit]) -> list[Counted]:
    """Those of the limits that this call counts for."""
    found = []
    for limit in limits:
        name: str | None = ""
        if limit.is_narrow:
            name = limit.counts(model=ask.model, end_user=ask.end_user, tag=ask.tag)
        if name is not None:
            found.append(Counted(limit, CounterId(limit.id, name)))
    return found


def budget_in_doubt(ask: Ask, limits: Sequence[Limit]) -> Limit | None:
    """The first hard budget that counts a call: it cannot be held where the call has no price."""
    budgets = [limit for limit in limits if limit.is_budget and not limit.soft]
    return next((each.limit for each in counted(ask, budgets)), None)


def decide(
    ask: Ask, counting: Sequence[Counted], counters: Sequence[Counter], now_ns: int
) -> tuple[Reservation | Refusal, Sequence[Counter]]:
    """The one admission rule. All or nothing: a call is admitted if every limit admits it, and one
    that is refused takes nothing from any. The counters come back in the order in which they were
    given."""
    claims, after, refusals, warnings = [], [], [], []
    asked = ask.amounts
    for (limit, counter_id), counter in zip(counting, counters, strict=True):
        measure = limit.measure
        amount = asked[measure]
        place, filled = counter.admit(limit.amount, amount, now_ns)
        if place is None:
            if not limit.soft:
                refusals.append(_refusal(limit, counter, amount, now_ns))
                continue
            warnings.append(limit)
            place, filled = counter.admit(counter.used(now_ns) + amount, amount, now_ns)
            assert place is not None  # noqa: S101  (a limit that it fits in)
        claims.append(Claim(counter_id, measure, amount, place))
        after.append(filled)
    if refusals:
        return longest(refusals), counters
    return Reservation(ask=ask, claims=tuple(claims), warnings=tuple(warnings)), after


def standing(limit: Limit, counter: Counter, now_ns: int) -> Standing:
    used, reset_ns = counter.left(now_ns)
    return Standing(limit, used, reset_ns)


def _refusal(limit: Limit, counter: Counter, amount: int, now_ns: int) -> Refusal:
    wait_ns = counter.wait_ns(limit.amount, amount, now_ns)
    return refusal(limit, used=counter.used(now_ns), asked=amount, wait_ns=wait_ns)


def refusal(limit: Limit, *, used: int, asked: int, wait_ns: int | None) -> Refusal:
    """`wait_ns` is what its counter says: see `RateWindow.wait_ns` and `CostLedger.wait_ns`."""
    if limit.measure is Measure.PARALLEL and limit.amount:
        wait_ns = _PARALLEL_WAIT_NS
    return Refusal(limit=limit, used=used, asked=asked, retry_after_ns=wait_ns)


def longest(refusals: Sequence[Refusal]) -> Refusal:
    """The one to tell, where several limits refuse: the first of those that take longest."""
    return max(refusals, key=_patience)


def _patience(refusal: Refusal) -> float:
    return math.inf if refusal.retry_after_ns is None else refusal.retry_after_ns
