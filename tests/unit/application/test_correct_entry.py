from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from scene import OPENAI_PRICE, PRICES, PROVIDERS, ROUTE, START_NS, FixedCatalogue, ManualClock

from langroute.adapters.memory.audit import MemoryAudit
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.system.actor import TaskActor
from langroute.application.ledger.correct_entry import CorrectEntry
from langroute.application.ports.audit import ChangeQuery
from langroute.application.ports.ledger import SpendQuery
from langroute.domain.catalogue import Catalogue
from langroute.domain.corrections import Correction
from langroute.domain.errors import InvalidRequest, NotFound, StoreUnavailable
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.money import Money
from langroute.domain.usage import TokenUsage

ENTRY = LedgerEntry(
    request_id=RequestId(uuid4()),
    key_id=KeyId(uuid4()),
    at_ns=START_NS,
    duration_ns=1,
    model="smart",
    provider="openai",
    upstream_model="gpt",
    outcome=Outcome.SUCCEEDED,
    attempts=1,
    streamed=True,
    usage=TokenUsage(input=100, output=50),
    cost=Money(6000),
    estimated=True,
)


class BusyLedger(MemoryLedger):
    """Where somebody else is always faster, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def post(self, correction: Correction) -> bool:
        if self.times:
            self.times -= 1
            sooner = replace(correction, cost=Money(1), reason="sooner")
            assert await super().post(sooner)
        return await super().post(correction)


def case(*entries: LedgerEntry, ledger: MemoryLedger | None = None) -> CorrectEntry:
    ledger = ledger or MemoryLedger()
    for entry in entries or (ENTRY,):
        ledger.record(entry)
    clock = ManualClock()
    return CorrectEntry(
        ledger=ledger,
        catalogues=FixedCatalogue(Catalogue.of(PROVIDERS, [ROUTE], PRICES)),
        audit=MemoryAudit(clock, TaskActor()),
        clock=clock,
    )


async def test_the_difference_is_added_with_its_reason() -> None:
    correct = case()

    call = await correct(ENTRY.request_id, reason=" the bill says so ", cost=Money(5000))

    (correction,) = call.corrections
    assert (correction.cost, correction.usage.by_class) == (Money(-1000), {})
    assert (correction.reason, correction.posted_at_ns) == ("the bill says so", START_NS)
    assert (call.cost, call.usage, call.estimated) == (Money(5000), ENTRY.usage, True)
    assert await correct.one(ENTRY.request_id) == call


async def test_usage_that_is_given_is_no_estimate_and_costs_what_was_in_force() -> None:
    call = await case()(ENTRY.request_id, reason="r", usage={"output": 10})

    usage = TokenUsage(input=100, output=10)
    assert (call.usage, call.cost) == (usage, OPENAI_PRICE.cost_of(usage))
    assert (call.estimated, call.priced) == (False, True)


async def test_a_call_that_nobody_answered_needs_its_cost_told() -> None:
    lost = replace(ENTRY, provider=None, upstream_model=None, outcome=Outcome.EXPIRED)
    correct = case(lost)

    with pytest.raises(InvalidRequest) as error:
        await correct(ENTRY.request_id, reason="r", usage={"output": 10})
    assert error.value.param == "cost_usd"

    call = await correct(
        ENTRY.request_id, reason="r", usage={"output": 0, "input": 0}, cost=Money(0)
    )
    assert (call.usage, call.cost) == (TokenUsage(), Money(0))


async def test_spend_follows_and_the_audit_log_tells_of_it() -> None:
    correct = case()
    await correct(ENTRY.request_id, reason="r", cost=Money(5000))

    assert isinstance(correct.ledger, MemoryLedger)
    (line,) = await correct.ledger.spend(SpendQuery())
    assert (line.calls, line.cost) == (1, Money(5000))
    (change,) = await correct.audit.changes(ChangeQuery())
    assert (change.kind, change.name) == ("ledger", f"req_{ENTRY.request_id.hex}")
    assert change.after == {"usage": {}, "cost_usd": "-0.000000001"}
    assert change.reason == "r"


async def test_of_two_that_correct_at_once_both_are_counted() -> None:
    call = await case(ledger=BusyLedger(2))(ENTRY.request_id, reason="r", cost=Money(5000))

    assert call.cost == Money(5000)
    assert [each.reason for each in call.corrections] == ["sooner", "sooner", "r"]


async def test_it_gives_up_where_others_never_stop() -> None:
    with pytest.raises(StoreUnavailable):
        await case(ledger=BusyLedger(99))(ENTRY.request_id, reason="r", cost=Money(5000))


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"reason": "r"}, "cost_usd"),
        ({"reason": " ", "cost": Money(1)}, "reason"),
        ({"reason": "r" * 1001, "cost": Money(1)}, "reason"),
        ({"reason": "r", "cost": Money(-1)}, "cost_usd"),
        ({"reason": "r", "usage": {"tokens": 1}}, "usage.tokens"),
        ({"reason": "r", "usage": {"input": -1}}, "usage"),
    ],
)
async def test_what_makes_no_sense_is_refused(given: dict[str, Any], param: str) -> None:
    correct = case()

    with pytest.raises(InvalidRequest) as error:
        await correct(ENTRY.request_id, **given)

    assert error.value.param == param
    assert not (await correct.one(ENTRY.request_id)).corrections


async def test_a_call_that_is_not_there_cannot_be_corrected() -> None:
    with pytest.raises(NotFound):
        await case()(RequestId(uuid4()), reason="r", cost=Money(1))
