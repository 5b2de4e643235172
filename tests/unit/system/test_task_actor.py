import asyncio

from langroute.adapters.system.actor import TaskActor


async def test_each_task_acts_for_its_own() -> None:
    actor = TaskActor()

    async def act_as(name: str, turn: asyncio.Barrier) -> str:
        actor.become(name)
        await turn.wait()
        return await asyncio.create_task(_later(actor))

    turn = asyncio.Barrier(2)
    told = await asyncio.gather(*(asyncio.create_task(act_as(name, turn)) for name in "ab"))

    assert told == ["a", "b"]
    assert actor.current() == "gateway"


async def _later(actor: TaskActor) -> str:
    return actor.current()
