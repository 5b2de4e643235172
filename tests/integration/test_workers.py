"""`langroute serve --workers` as processes of their own, with signals and kills."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from postgres_fixtures import Databases
from server_process import ServerProcess, clean_environment, free_port
from worker_processes import (
    CHAT,
    ENCRYPTION_KEY,
    WORKERS,
    Workers,
    fresh,
    serving_workers,
    until_all_serve,
)

STREAM = {**CHAT, "stream": True}
LASTING = {"requests_per_minute": None, "tokens_per_minute": None}


@pytest.fixture(scope="module")
async def workers(databases: Databases) -> AsyncIterator[Workers]:
    async with databases.url() as url, serving_workers(url) as workers:
        yield workers


@pytest.fixture
async def ending(database_url: str) -> AsyncIterator[Workers]:
    """For a test that ends them."""
    async with serving_workers(database_url, count=2) as workers:
        yield workers


async def test_connections_are_spread_over_the_workers(workers: Workers) -> None:
    port = workers.server.port
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
    for reader, writer in held:
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n")
        assert b" 200 " in await reader.readline()
    spread = Counter(
        process.pid
        for process in workers.processes()
        for connection in process.net_connections("tcp4")
        if connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port
    )
    for _, writer in held:
        writer.close()
    assert set(spread) == workers.pids
    assert sum(spread.values()) == 60


async def test_the_start_is_told_once(workers: Workers) -> None:
    said = workers.server.said()
    assert said.count("listens on") == 1
    assert f"workers         {WORKERS}" in said


async def test_one_that_is_killed_is_replaced_and_no_later_call_fails(workers: Workers) -> None:
    key = await workers.new_key(**LASTING)
    (killed, *_) = workers.processes()
    before = workers.pids
    killed.kill()
    answers = await asyncio.gather(
        *(fresh(workers.server, "/v1/chat/completions", key, CHAT) for _ in range(30))
    )
    assert {status for status, _ in answers} == {200}
    await workers.until_there_are(WORKERS, without=frozenset({killed.pid}))
    assert len(workers.pids & before) == WORKERS - 1
    assert "was ended by signal 9" in workers.server.said()


async def test_a_stream_under_way_is_finished_before_all_end(ending: Workers) -> None:
    key = await ending.new_key(**LASTING)
    gate = ending.upstream.hold(after_events=3)
    async with (
        aiohttp.ClientSession(ending.server.url) as http,
        http.post("/v1/chat/completions", json=STREAM, headers=key) as response,
    ):
        async with asyncio.timeout(10):
            await gate.reached.wait()
        stopping = asyncio.create_task(ending.server.stop())
        await ending.until_there_are(1)
        gate.open()
        assert "data: [DONE]\n\n" in await response.text()
    assert await stopping == 0
    await ending.server.start()
    (entry,) = await ending.ledger()
    assert entry["outcome"] == "succeeded"


async def test_a_second_signal_ends_at_once_and_loses_no_entry(ending: Workers) -> None:
    key = await ending.new_key(**LASTING)
    ending.upstream.hang(after_events=3)
    async with (
        aiohttp.ClientSession(ending.server.url) as http,
        http.post("/v1/chat/completions", json=STREAM, headers=key) as response,
    ):
        await response.content.readany()
        assert ending.server.process is not None
        ending.server.process.send_signal(signal.SIGTERM)
        await ending.until_there_are(1)
        began = time.monotonic()
        assert await ending.server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 15  # else it waits for half a minute
    await ending.server.start()
    (entry,) = await ending.ledger()
    assert entry["outcome"] == "client_cancelled"


async def test_a_signal_to_the_whole_group_cuts_nobody_off(ending: Workers) -> None:
    """As systemd sends it: to each process of a service."""
    key = await ending.new_key(**LASTING)
    gate = ending.upstream.hold(after_events=3)
    async with (
        aiohttp.ClientSession(ending.server.url) as http,
        http.post("/v1/chat/completions", json=STREAM, headers=key) as response,
    ):
        await response.content.readany()
        processes = ending.processes()
        for process in processes:
            process.terminate()
        stopping = asyncio.create_task(ending.server.stop())
        await ending.until_there_are(1)
        gate.open()
        assert "data: [DONE]\n\n" in await response.text()
    assert await stopping == 0


async def test_without_their_parent_they_finish_and_end(ending: Workers) -> None:
    key = await ending.new_key(**LASTING)
    gate = ending.upstream.hold(after_events=3)
    processes = ending.processes()
    async with (
        aiohttp.ClientSession(ending.server.url) as http,
        http.post("/v1/chat/completions", json=STREAM, headers=key) as response,
    ):
        await response.content.readany()
        assert await ending.server.stop(signal.SIGKILL) == -signal.SIGKILL
        async with asyncio.timeout(20):
            while sum(process.is_running() for process in processes) > 1:
                await asyncio.sleep(0.02)
        gate.open()
        assert "data: [DONE]\n\n" in await response.text()
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, timeout=20)
    assert alive == []
    await ending.server.start()  # on the same port


async def test_a_renewal_replaces_every_worker_and_fails_no_call(workers: Workers) -> None:
    before = workers.pids
    key = await workers.new_key(**LASTING)
    done = asyncio.Event()
    failures: list[object] = []
    calls = 0

    async def calling() -> None:
        nonlocal calls
        while not done.is_set():
            try:
                status, body = await fresh(workers.server, "/v1/chat/completions", key, CHAT)
            except aiohttp.ClientError as error:
                failures.append(error)
            else:
                calls += 1
                if status != 200:
                    failures.append(body)

    callers = [asyncio.create_task(calling()) for _ in range(4)]
    assert workers.server.process is not None
    workers.server.process.send_signal(signal.SIGHUP)
    await workers.until_there_are(WORKERS, without=before)
    done.set()
    await asyncio.gather(*callers)
    assert failures == []
    assert calls > 20


async def test_a_port_that_is_taken_by_workers_is_told(workers: Workers, langroute: Any) -> None:
    port = str(workers.server.port)
    done = await langroute("serve", "--dev", "--workers", "2", "--port", port)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


async def test_workers_that_cannot_start_are_told(
    databases: Databases, database_url: str, langroute: Any
) -> None:
    """Each wants more than the one connection to the database that is enough to prepare it."""
    await databases.execute("create role narrow login connection limit 1 in role postgres")
    done = await langroute(
        *("serve", "--dev", "--workers", "2", "--port", "0"),
        DATABASE_URL=database_url.replace("postgres:@", "narrow:@", 1),
        ENCRYPTION_KEY=ENCRYPTION_KEY,
    )
    await databases.execute("drop role narrow")
    assert done.returncode == 1, done.stderr
    assert "at its start" in done.stderr


async def test_the_embedded_database_is_the_parents() -> None:
    async with ServerProcess.started("--dev", "--workers", "2", port=free_port()) as server:
        await until_all_serve(server)
        pid_file = server.folder / ".langroute" / "postgres" / "data" / "postmaster.pid"
        assert pid_file.exists()
        assert "embedded, in .langroute" in server.said()
        async with aiohttp.ClientSession(server.url) as http:
            for _ in range(10):
                async with http.post("/api/generate-virtual-key") as response:
                    assert response.status == 200, await response.text()
        assert await server.stop() == 0
        assert not pid_file.exists()


async def test_they_end_with_the_terminal_that_they_were_started_from(
    database_url: str, tmp_path: Path
) -> None:
    """Its hang-up is the signal that also asks for new workers."""
    ours, theirs = os.openpty()
    on_terminal = "import os, sys; os.login_tty(0); os.execv(sys.executable, sys.argv[1:])"
    serve = (sys.executable, "-m", "langroute", "serve", "--dev", "--workers", "2", "--port", "0")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", on_terminal, *serve),
        cwd=tmp_path,
        env=clean_environment(DATABASE_URL=database_url, ENCRYPTION_KEY=ENCRYPTION_KEY),
        stdin=theirs,
    )
    os.close(theirs)
    try:
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            async with asyncio.timeout(40):
                said = b""
                while b"administration" not in said:
                    said += await asyncio.to_thread(terminal.read, 1000)
            workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        async with asyncio.timeout(20):
            assert await process.wait() == 0
        assert not any(worker.is_running() for worker in workers)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
