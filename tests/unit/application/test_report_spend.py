import pytest
from scene import Scene, ScriptedUpstream, a_chat, a_key, a_reply

from langroute.application.ports.ledger import SpendQuery
from langroute.application.spend.report_spend import ReportSpend
from langroute.domain.errors import InvalidRequest


async def spent(calls: int) -> Scene:
    scene = Scene(upstream=ScriptedUpstream(openai=[a_reply() for _ in range(calls)]))
    await scene.save("sk", "openai")
    for _ in range(calls):
        await scene.complete_chat(a_key(), a_chat())
        scene.clock.advance(1)
    return scene


async def test_what_is_reported_is_the_sum_of_the_entries() -> None:
    scene = await spent(3)
    report = ReportSpend(scene.ledger)
    (line,) = await report(SpendQuery(by="model"))
    entries = await report.entries()
    assert line.name == "smart"
    assert line.calls == len(entries) == 3
    assert line.cost.pico == sum(entry.cost.pico for entry in entries)
    assert line.prompt_tokens == sum(entry.usage.prompt_tokens for entry in entries)


@pytest.mark.parametrize("by", ["", "user", "key_id", "__class__"])
async def test_refuses_a_heading_that_there_is_not(by: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await ReportSpend((await spent(0)).ledger)(SpendQuery(by=by))
    assert refused.value.param == "by"


@pytest.mark.parametrize(("limit", "shown"), [(-5, 1), (0, 1), (2, 2), (10**9, 3)])
async def test_shows_at_least_one_entry_and_no_more_than_a_thousand(limit: int, shown: int) -> None:
    entries = await ReportSpend((await spent(3)).ledger).entries(limit=limit)
    assert len(entries) == shown
    assert list(entries) == sorted(entries, key=lambda entry: -entry.at_ns)
