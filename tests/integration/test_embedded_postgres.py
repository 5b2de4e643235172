import asyncio
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.embedded import EmbeddedPostgres
from langroute.adapters.postgres.embedded_binaries import EmbeddedPostgresFailed, program
from langroute.adapters.postgres.migrate import migrate
from langroute.adapters.postgres.revision import is_current

# Starts a server, says so, and waits to be killed.
_USER = """
import asyncio, sys
from pathlib import Path
from langroute.adapters.postgres.embedded import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1])) as embedded:
        print(embedded.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def new_folder() -> AsyncIterator[Path]:
    """One in which there never was a server."""
    # Not pytest's own: each run of pytest closes that to the account that Postgres runs under.
    made = Path(tempfile.mkdtemp(prefix="langroute-tests-"))
    yield made / "postgres"
    shutil.rmtree(made)


@pytest.fixture(scope="module")
async def made_folder() -> AsyncIterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="langroute-tests-"))
    async with EmbeddedPostgres(made):
        pass
    yield made
    shutil.rmtree(made)


@pytest.fixture
async def folder(made_folder: Path) -> AsyncIterator[Path]:
    """One in which there was a server before. None must be left behind."""
    yield made_folder
    assert _server_pid(made_folder) is None


async def test_it_starts_with_its_first_user_and_stops_with_its_last(new_folder: Path) -> None:
    first, second = EmbeddedPostgres(new_folder), EmbeddedPostgres(new_folder)
    await asyncio.gather(first.start(), second.start())
    assert first.url == second.url
    assert await _answers(first.url)

    await first.aclose()
    assert await _answers(second.url)

    await second.aclose()
    assert _server_pid(new_folder) is None


async def test_what_was_written_is_there_after_a_restart(new_folder: Path) -> None:
    for attempt in range(2):
        async with EmbeddedPostgres(new_folder) as embedded:
            database = Database(embedded.url)
            assert await is_current(database.engine) == (attempt == 1)
            await migrate(database.engine)
            await database.aclose()


async def test_closing_twice_or_unstarted_is_nothing(folder: Path) -> None:
    embedded = EmbeddedPostgres(folder)
    await embedded.aclose()
    async with embedded:
        pass
    await embedded.aclose()


def test_its_address_is_only_known_once_it_runs(folder: Path) -> None:
    with pytest.raises(RuntimeError):
        _ = EmbeddedPostgres(folder).url


async def test_a_server_left_behind_by_a_killed_process_is_used_and_stopped(folder: Path) -> None:
    process = await _start_user(folder)
    left_behind = _server_pid(folder)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert left_behind is not None
    assert _server_pid(folder) == left_behind

    async with EmbeddedPostgres(folder) as embedded:
        assert await _answers(embedded.url)
        assert _server_pid(folder) == left_behind

    assert _server_pid(folder) is None


async def test_another_process_may_use_it_too(folder: Path) -> None:
    process = await _start_user(folder)
    async with EmbeddedPostgres(folder) as embedded:
        process.send_signal(signal.SIGKILL)
        await process.wait()

        assert await _answers(embedded.url)


async def test_it_starts_after_the_server_itself_was_killed(folder: Path) -> None:
    async with EmbeddedPostgres(folder):
        await _kill_server(folder)

        async with EmbeddedPostgres(folder) as embedded:
            assert await _answers(embedded.url)


async def test_a_pid_that_belongs_to_somebody_else_by_now_is_no_obstacle(folder: Path) -> None:
    async with EmbeddedPostgres(folder):
        pid_file = folder / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        await _kill_server(folder)
    # In a container that was started anew, any number may be taken again, even under one user.
    process = await asyncio.create_subprocess_exec(
        "sleep", "60", user=pid_file.parent.stat().st_uid if os.geteuid() == 0 else None
    )
    pid_file.write_text("\n".join([str(process.pid), *lines[1:], ""]))
    try:
        async with EmbeddedPostgres(folder) as embedded:
            assert await _answers(embedded.url)
    finally:
        process.kill()
        await process.wait()


async def test_a_creation_that_was_cut_short_is_begun_again(new_folder: Path) -> None:
    unfinished = new_folder / "data.new" / "base"
    unfinished.mkdir(parents=True)
    (unfinished.parent / "PG_VERSION").write_text("18\n")

    async with EmbeddedPostgres(new_folder) as embedded:
        assert await _answers(embedded.url)


async def test_a_folder_of_any_name_will_do(new_folder: Path) -> None:
    odd = new_folder / "it's a $HOME, \"isn't\" it? ünïcode, %20"

    async with EmbeddedPostgres(odd) as embedded:
        assert await _answers(embedded.url)
        socket_folder = _socket_folder(embedded.url)
    shutil.rmtree(socket_folder)


async def test_a_path_too_long_for_a_socket_will_do(new_folder: Path) -> None:
    long = new_folder / ("long" * 25)

    async with EmbeddedPostgres(long) as embedded:
        assert await _answers(embedded.url)
        socket_folder = _socket_folder(embedded.url)
        assert _is_private(socket_folder)
    shutil.rmtree(socket_folder)


async def test_others_cannot_reach_it(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as embedded:
        assert _is_private(_socket_folder(embedded.url))
        database = Database(embedded.url)
        connection = await database.connect()
        assert await connection.fetchval("show listen_addresses") == ""
        await connection.close()
        await database.aclose()


async def test_a_failure_says_what_postgres_said(folder: Path) -> None:
    settings = folder / "data" / "postgresql.auto.conf"
    settings.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(EmbeddedPostgresFailed, match=r"no_such_setting"):
            await EmbeddedPostgres(folder).start()
    finally:
        settings.write_text("")


async def test_psql_comes_with_it(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as embedded:
        process = await asyncio.create_subprocess_exec(
            program("psql"), embedded.url, "-Atc", "select 6 * 7", stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()

    assert told == b"42\n"


async def _start_user(folder: Path) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _USER, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline()
    return process


async def _answers(url: str) -> bool:
    database = Database(url)
    connection = await database.connect()
    try:
        return bool(await connection.fetchval("select true"))
    finally:
        await connection.close()
        await database.aclose()


async def _kill_server(folder: Path) -> None:
    pid = _server_pid(folder)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        while _is_alive(pid):
            await asyncio.sleep(0.01)


def _server_pid(folder: Path) -> int | None:
    try:
        pid = int((folder / "data" / "postmaster.pid").read_text().partition("\n")[0])
    except FileNotFoundError:
        return None
    return pid if _is_alive(pid) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _socket_folder(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def _is_private(folder: Path) -> bool:
    return stat.S_IMODE(folder.stat().st_mode) == 0o700
