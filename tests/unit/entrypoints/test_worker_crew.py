"""Workers that do nothing but start and end, as processes of their own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from typer import Exit

from langroute.entrypoints.cli.stop import Stop
from langroute.entrypoints.cli.workers.crew import Crew
from langroute.entrypoints.cli.workers.places import ListeningPlace, listening_places
from langroute.entrypoints.cli.workers.post import Patience, Post, WorkerFailed
from langroute.entrypoints.cli.workers.process import WorkerProcess

# Waits for what the parent has to say, as workers do; it ends when the parent does.
SERVES = """
import socket, sys
lifeline = socket.socket(fileno=int(sys.argv[2]))
lifeline.send(b"r")
lifeline.recv(1)
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
FAILS = "raise SystemExit(7)"
HURRIES = Patience(proven_s=60, first_pause_s=0.02, longest_pause_s=0.05, tries=3)

SOON_S = 20


class Scene:
    """A crew of three, each of which runs the `script`."""

    def __init__(self, folder: Path, script: str) -> None:
        self._file = folder / "worker.py"
        self.run(script)
        self.stop, self.renewal, self.ready = Stop(), asyncio.Event(), asyncio.Event()
        self.processes: list[WorkerProcess] = []
        self._places = listening_places("127.0.0.1", 0, 3)
        self.port = self._places[0].listener.getsockname()[1]
        self._posts = [
            Post(n, place, self._start, HURRIES) for n, place in enumerate(self._places, 1)
        ]
        self._crew = Crew(self._posts, grace_s=0.5, cut_off_s=0.5)

    def run(self, script: str) -> None:
        """From now on. Whole or not at all, for one that starts just now."""
        draft = self._file.with_suffix(".new")
        draft.write_text(script)
        draft.replace(self._file)

    async def work(self) -> bool:
        try:
            return await self._crew.work(self.stop, self.renewal, self.ready.set)
        finally:
            for place in self._places:
                place.listener.close()
            assert self.alive() == []

    def alive(self) -> list[WorkerProcess]:
        return [process for process in self.processes if process.is_running]

    def all_serve(self) -> bool:
        """One that starts may be alive, and about to fail."""
        return all(post.serves for post in self._posts)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while not holds():
                await asyncio.sleep(0.01)

    async def _start(self, place: ListeningPlace) -> WorkerProcess:
        command = (sys.executable, "-I", "-S", str(self._file))
        worker = await WorkerProcess.started(place.listener, {}, command)
        self.processes.append(worker)
        return worker


@asynccontextmanager
async def at_work(folder: Path, script: str = SERVES) -> AsyncIterator[Scene]:
    """Ends in order, and leaves nobody."""
    scene = Scene(folder, script)
    working = asyncio.create_task(scene.work())
    try:
        async with asyncio.timeout(SOON_S):
            await scene.ready.wait()
        yield scene
    finally:
        scene.stop.ask()
        assert await working


async def test_it_is_ready_once_all_serve_and_ends_with_all(tmp_path: Path) -> None:
    async with at_work(tmp_path) as scene:
        assert len(scene.alive()) == 3


async def test_one_that_fails_at_its_start_ends_the_others_and_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path, FAILS)
    with pytest.raises(WorkerFailed, match=r"worker \d ended with exit code 7 at its start"):
        await scene.work()
    assert not scene.ready.is_set()


async def test_one_that_is_killed_is_replaced(tmp_path: Path) -> None:
    async with at_work(tmp_path) as scene:
        first, *others = scene.alive()
        first.kill()
        await scene.until(lambda: len(scene.processes) == 4 and len(scene.alive()) == 3)
        assert scene.alive()[:2] == others


async def test_one_that_cannot_be_replaced_is_tried_until_it_can(tmp_path: Path) -> None:
    async with at_work(tmp_path) as scene:
        scene.run(FAILS)
        scene.alive()[0].kill()
        await scene.until(lambda: len(scene.processes) > 8)
        assert len(scene.alive()) >= 2
        scene.run(SERVES)
        await scene.until(scene.all_serve)
        assert len(scene.alive()) == 3
        assert _is_accepted_by(3, scene.port)


def _is_accepted_by(places: int, port: int) -> bool:
    """Whether so many sockets take connections."""
    return (
        sum(
            c.status == psutil.CONN_LISTEN and c.laddr.port == port
            for c in psutil.Process().net_connections("tcp4")
        )
        == places
    )


async def test_nobody_waits_where_nobody_will_accept(tmp_path: Path) -> None:
    """While a worker is not started again, connections go to the others."""
    async with at_work(tmp_path) as scene:
        scene.run(FAILS)
        scene.alive()[0].kill()
        await scene.until(lambda: _is_accepted_by(2, scene.port))
        scene.run(SERVES)
        await scene.until(scene.all_serve)
        assert _is_accepted_by(3, scene.port)


async def test_it_gives_up_when_none_serves_and_none_can_be_started(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SERVES)
    working = asyncio.create_task(scene.work())
    await scene.ready.wait()
    scene.run(FAILS)
    for process in scene.alive():
        process.kill()
    with pytest.raises(WorkerFailed, match="and no other serves"):
        async with asyncio.timeout(SOON_S):
            await working


async def test_a_renewal_starts_each_successor_before_its_predecessor_ends(tmp_path: Path) -> None:
    async with at_work(tmp_path) as scene:
        old = scene.alive()
        scene.renewal.set()
        counts = set[int]()

        def all_are_new() -> bool:
            counts.add(len(scene.alive()))
            return not any(process.is_running for process in old)

        await scene.until(all_are_new)
        assert len(scene.alive()) == 3
        assert len(scene.processes) == 6
        assert counts <= {3, 4}


async def test_a_renewal_that_fails_leaves_the_workers_as_they_are(tmp_path: Path) -> None:
    async with at_work(tmp_path) as scene:
        old = scene.alive()
        scene.run(FAILS)
        scene.renewal.set()
        await scene.until(lambda: len(scene.processes) == 4 and len(scene.alive()) == 3)
        assert scene.alive() == old


async def test_those_that_do_not_end_are_told_to_hurry(tmp_path: Path) -> None:
    async with at_work(tmp_path, DEAF + SERVES) as scene:
        assert len(scene.alive()) == 3


async def test_those_that_do_not_end_even_so_are_killed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DEAF + SERVES + "lifeline.recv(1)")
    working = asyncio.create_task(scene.work())
    await scene.ready.wait()
    scene.stop.ask()
    scene.stop.ask()
    assert await working is False


async def test_an_end_while_they_start_leaves_nobody(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "import time; time.sleep(60)")
    working = asyncio.create_task(scene.work())
    await scene.until(lambda: len(scene.processes) == 3)
    scene.stop.ask()
    assert await working
    assert not scene.ready.is_set()


async def test_an_address_that_is_shared_already_counts_as_taken() -> None:
    taken = listening_places("127.0.0.1", 0, 2)
    with pytest.raises(Exit):
        listening_places("127.0.0.1", taken[0].listener.getsockname()[1], 2)
    for place in taken:
        place.listener.close()


def test_pauses_grow_to_a_bound() -> None:
    pauses = [Patience().pause_s(failures) for failures in range(1, 10)]
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
