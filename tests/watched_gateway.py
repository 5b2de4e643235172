"""A gateway over real HTTP whose settlements are counted, with one provider of each kind, all at
one address. No database: thousands of calls are made."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import pytest
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Ask, Reservation
from langroute.domain.ids import RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Refusal, Standing
from langroute.entrypoints.http.server import serve
from langroute.entrypoints.lifecycle import open_memory_container
from langroute.entrypoints.settings import load_settings
from upstreams.obliging import ObligingServer

SECRET = "sk-a-secret-that-nobody-may-see"
_PATIENCE_S = 10


class WatchedLedger(MemoryLedger):
    def __init__(self) -> None:
        super().__init__()
        self.recorded: list[LedgerEntry] = []

    def record(self, entry: LedgerEntry) -> None:
        self.recorded.append(entry)
        super().record(entry)


class WatchedAdmission(MemoryAdmission):
    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.admitted: list[RequestId] = []

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        decision, standings = await super().admit(ask, limits)
        if isinstance(decision, Reservation):
            self.admitted.append(ask.request_id)
        return decision, standings


class Complaints(logging.Handler):
    """What was logged as an error, in full."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []
        self._formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self._formatter.format(record))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_stream(self) -> bool:
        return self.headers["content-type"].startswith("text/event-stream")


@dataclass(kw_only=True)
class WatchedGateway:
    """`key` may use a model of each kind, by the kind's name."""

    http: aiohttp.ClientSession
    ledger: WatchedLedger
    admission: WatchedAdmission
    complaints: Complaints
    key: str = ""
    _settled: int = field(default=0, init=False)

    async def post(self, path: str, raw: bytes, *, agent: str = "a test") -> Heard:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        headers["User-Agent"] = agent
        async with self.http.post(path, data=raw, headers=headers) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            return Heard(status=response.status, headers=told, body=await response.read())

    async def newly_settled(self) -> Sequence[LedgerEntry]:
        """Each call that was admitted since, settled once: waits for it, since a client may see
        the end of an answer before the gateway has."""
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.ledger.recorded) < len(self.admission.admitted):
                await asyncio.sleep(0)
        settled = [entry.request_id for entry in self.ledger.recorded]
        assert settled[self._settled :] == self.admission.admitted[self._settled :]
        new = self.ledger.recorded[self._settled :]
        self._settled = len(settled)
        return new

    def said_nothing(self) -> bool:
        """Nothing went wrong that nobody had expected."""
        assert self.complaints.said == []
        return True


@asynccontextmanager
async def watched_gateway(
    kinds: Sequence[str], base_url: str, **adapters: object
) -> AsyncIterator[WatchedGateway]:
    """`adapters` take the place of the container's own, by name."""
    settings = load_settings(dev=True, encryption_key="0f" * 32, idle_timeout_s=5.0)
    ledger, admission, complaints = WatchedLedger(), WatchedAdmission(), Complaints()
    watched = {"ledger": ledger, "reports": ledger, "admission": admission}
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config, stop = Config(), asyncio.Event()
    config.accesslog = None
    config.keep_alive_max_requests = 2**31
    config.errorlog = logging.getLogger("hypercorn.error")
    logging.getLogger().addHandler(complaints)
    try:
        async with open_memory_container(settings, adapters={**watched, **adapters}) as container:
            app = cast("ASGIFramework", container.app())
            server = asyncio.create_task(serve(app, config, listener, stop))
            try:
                async with aiohttp.ClientSession(url) as http:
                    gateway = WatchedGateway(
                        http=http, ledger=ledger, admission=admission, complaints=complaints
                    )
                    gateway.key = await _set_up(http, kinds, base_url)
                    yield gateway
            finally:
                stop.set()
                await server
    finally:
        logging.getLogger().removeHandler(complaints)


@pytest.fixture(scope="module")
async def obliging() -> AsyncIterator[ObligingServer]:
    async with ObligingServer() as server:
        yield server


@pytest.fixture(scope="module")
async def watched(
    request: pytest.FixtureRequest, obliging: ObligingServer
) -> AsyncIterator[WatchedGateway]:
    """In front of `obliging`, with a provider of each of the module's `KINDS`."""
    async with watched_gateway(request.module.KINDS, obliging.base_url) as gateway:
        yield gateway


async def _set_up(http: aiohttp.ClientSession, kinds: Sequence[str], base_url: str) -> str:
    key = await _told(
        http, "POST", "/api/keys", {"requests_per_minute": None, "tokens_per_minute": None}
    )
    for kind in kinds:
        provider = {"kind": kind, "base_url": base_url}
        await _told(http, "PUT", f"/api/providers/a-{kind}", provider)
        targets = [{"provider": f"a-{kind}", "model": "m"}]
        await _told(http, "PUT", f"/api/routes/{kind}", {"targets": targets})
        path = f"/api/keys/{key['id']}/credentials/a-{kind}"
        await _told(http, "PUT", path, {"secret": SECRET})
    return str(key["virtual_key"])


async def _told(http: aiohttp.ClientSession, method: str, path: str, body: object) -> Any:
    async with http.request(method, path, json=body) as response:
        told = await response.json()
        assert response.status < 300, told
        return told
