"""Values as the gateway makes them: times in whole microseconds, ids of version 7."""

from typing import Any

from langroute.adapters.system.clock import SystemClock
from langroute.adapters.system.entropy import SystemEntropy
from langroute.domain.admission import Ask, Reservation
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.keys import VirtualKey, compose_secret, digest_of, hint_of
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.limits import Limits
from langroute.domain.money import Money
from langroute.domain.usage import TokenUsage

CLOCK = SystemClock()
ENTROPY = SystemEntropy()
SECOND_NS = 10**9


def new_key(**different: Any) -> VirtualKey:
    secret = compose_secret(ENTROPY.secret(24))
    fields: dict[str, Any] = {
        "id": KeyId(ENTROPY.uuid()),
        "name": "a key",
        "digest": digest_of(secret),
        "hint": hint_of(secret),
        "limits": Limits(requests_per_minute=60, tokens_per_minute=100_000),
        "created_at_ns": CLOCK.now_ns(),
    }
    return VirtualKey(**fields | different)


def new_entry(**different: Any) -> LedgerEntry:
    fields: dict[str, Any] = {
        "request_id": RequestId(ENTROPY.uuid()),
        "key_id": KeyId(ENTROPY.uuid()),
        "at_ns": CLOCK.now_ns(),
        "duration_ns": 123_456_789,
        "first_byte_ns": 98_765_432,
        "model": "gpt-4o-mini",
        "provider": "openai",
        "upstream_model": "gpt-4o-mini-2024-07-18",
        "outcome": Outcome.SUCCEEDED,
        "attempts": 1,
        "streamed": True,
        "usage": TokenUsage(input=100, cached_input=20, output=30, reasoning=7),
        "cost": Money(123_456_789),
    }
    return LedgerEntry(**fields | different)


def entry_of(ask: Ask, usage: TokenUsage, cost: Money, *, duration_ns: int = 0) -> LedgerEntry:
    """Of a call that was asked for so, and has succeeded."""
    return LedgerEntry(
        request_id=ask.request_id,
        key_id=ask.key_id,
        team_id=ask.team_id,
        organization_id=ask.organization_id,
        end_user=ask.end_user,
        tag=ask.tag,
        at_ns=ask.at_ns,
        duration_ns=duration_ns,
        model=ask.model,
        outcome=Outcome.SUCCEEDED,
        attempts=1,
        streamed=ask.streamed,
        usage=usage,
        cost=cost,
    )


def a_reservation(**different: Any) -> Reservation:
    """Of a call that was asked for just now, with a lease of an hour."""
    now_ns = CLOCK.now_ns()
    fields: dict[str, Any] = {
        "request_id": RequestId(ENTROPY.uuid()),
        "key_id": KeyId(ENTROPY.uuid()),
        "model": "gpt-4o-mini",
        "streamed": True,
        "at_ns": now_ns,
        "lease_until_ns": now_ns + 3600 * SECOND_NS,
        "input_bound": 10,
        "output_bound": 20,
        "cost_bound": Money(30),
    }
    return Reservation(ask=Ask(**fields | different))
