from dataclasses import replace
from uuid import uuid4

from langroute.adapters.memory.ledger import MemoryLedger
from langroute.application.ports.ledger import SpendQuery
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.money import Money

ENTRY = LedgerEntry(
    request_id=RequestId(uuid4()),
    key_id=KeyId(uuid4()),
    at_ns=1_000,
    duration_ns=1,
    model="m",
    provider="p",
    upstream_model="m",
    outcome=Outcome.SUCCEEDED,
    attempts=1,
    streamed=False,
    cost=Money(3),
)


async def test_the_sum_is_exact_however_few_entries_are_kept() -> None:
    ledger = MemoryLedger(kept=10)

    for number in range(1000):
        ledger.record(replace(ENTRY, request_id=RequestId(uuid4()), at_ns=number * 1_000))

    (line,) = await ledger.spend(SpendQuery())
    assert (line.calls, line.cost) == (1000, Money(3000))
    assert len(await ledger.entries(None, 1000)) == 10


async def test_made_up_names_of_models_do_not_grow_without_end() -> None:
    ledger = MemoryLedger(kept=1, headings=5)

    for number in range(100):
        ledger.record(replace(ENTRY, request_id=RequestId(uuid4()), model=f"m{number}"))

    by_model = await ledger.spend(SpendQuery(by="model"))
    assert len(by_model) == 6
    assert by_model[0].name == "(other)"
    assert sum(line.cost.pico for line in by_model) == 300
