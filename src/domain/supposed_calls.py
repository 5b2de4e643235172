from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from .admission import Ask
from .bounds import cost_bound, is_priced
from .ledger import LedgerEntry, Outcome
from .money import ZERO, Money
from .past_calls import PastCall
from .usage import TokenUsage
from .what_if import WhatIf


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedCall:
    """A past call as it would have been: what it would have asked for, and what it would have come
    to. `provider` is None where nobody answered."""

    ask: Ask
    ends_ns: int
    provider: str | None
    usage: TokenUsage
    cost: Money
    priced: bool


class _Place(NamedTuple):
    """A model at a provider. Whatever is on record is one, also what no target could name."""

    provider: str
    model: str


def supposed(past: PastCall, what_if: WhatIf) -> SupposedCall:
    """What is not supposed to be other than it was is left as it is on record. What a call used is
    never changed; who answers is the target that would have been tried first."""
    call, entry = past.call, past.call.entry
    answered, targets = _targets(entry, what_if)
    cost, priced = _cost(past, answered, what_if)
    ask = past.ask
    if ask is None:
        ask = _asked_for_what_it_used(past, cost, priced=priced)
    elif _may_cost_something_else(entry, targets, what_if):
        prices = [what_if.price(*each, entry.at_ns) for each in targets]
        service = call.usage.service
        asked = [price and price.asked_for(service) for price in prices]
        bound = cost_bound(asked, ask.input_bound, ask.output_bound, call.usage.units)
        ask = replace(ask, cost_bound=bound, priced=is_priced(asked, service))
    if entry.outcome is Outcome.EXPIRED and not call.corrections:
        cost, priced = ask.cost_bound, ask.priced  # which is what such a call settles at
    return SupposedCall(
        ask=ask,
        ends_ns=entry.at_ns + entry.duration_ns,
        provider=answered and answered.provider,
        usage=call.usage,
        cost=cost,
        priced=priced,
    )


def _targets(entry: LedgerEntry, what_if: WhatIf) -> tuple[_Place | None, Sequence[_Place]]:
    """Who answers, and all that might have: what is reserved is enough for each."""
    targets = _candidates(entry, what_if)
    if entry.provider is None or entry.upstream_model is None:
        return None, targets
    if targets and what_if.routed.route(entry.model) is not None:
        return targets[0], targets
    answered = _Place(entry.provider, entry.upstream_model)
    return answered, (*targets, answered)


def _candidates(entry: LedgerEntry, what_if: WhatIf) -> Sequence[_Place]:
    """In the order in which they would be tried."""
    route = what_if.route(entry.model)
    if route is None:
        return ()
    try:
        found = route.candidates(entry.model, entry.request_id.int)
    except ValueError:  # a name that a wildcard of today makes no target of
        return ()
    return [_Place(target.provider, target.model) for target in found]


def _cost(past: PastCall, answered: _Place | None, what_if: WhatIf) -> tuple[Money, bool]:
    """And whether it is known."""
    call, entry = past.call, past.call.entry
    if answered is None:
        return call.cost, call.priced
    price = what_if.prices.at(*answered, entry.at_ns)
    if price is None and answered == (entry.provider, entry.upstream_model):
        return call.cost, call.priced
    price = price or what_if.present.prices.at(*answered, entry.at_ns)
    if price is None:
        return ZERO, call.usage.is_nothing
    return price.cost_of(call.usage), True


def _may_cost_something_else(
    entry: LedgerEntry, targets: Sequence[_Place], what_if: WhatIf
) -> bool:
    return what_if.routed.route(entry.model) is not None or any(
        what_if.prices.at(*each, entry.at_ns) is not None for each in targets
    )


def _asked_for_what_it_used(past: PastCall, cost: Money, *, priced: bool) -> Ask:
    """Its reservation is not on record: it held at least that much."""
    entry, usage = past.call.entry, past.call.usage
    return Ask(
        request_id=entry.request_id,
        key_id=entry.key_id,
        team_id=entry.team_id,
        organization_id=entry.organization_id,
        end_user=entry.end_user,
        tag=entry.tag,
        model=entry.model,
        streamed=entry.streamed,
        at_ns=entry.at_ns,
        lease_until_ns=entry.at_ns + entry.duration_ns,
        input_bound=usage.prompt_tokens,
        output_bound=usage.completion_tokens,
        cost_bound=cost,
        priced=priced,
    )
