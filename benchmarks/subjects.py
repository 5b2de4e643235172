"""What is measured: each is a process of its own that answers chats."""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

_START_S = 90.0
MODEL = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """`start_s` is from the start of the process to its first answered chat."""

    name: str
    base_url: str
    process: psutil.Process
    headers: dict[str, str] = field(default_factory=dict)
    start_s: float | None = None

    def cpu_s(self) -> float:
        times = [each.cpu_times() for each in self._family()]
        return float(sum(each.user + each.system for each in times))

    def memory_mb(self) -> float:
        return sum(each.memory_info().rss for each in self._family()) / 2**20

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@asynccontextmanager
async def direct() -> AsyncIterator[Subject]:
    """The provider itself."""
    port = free_port()
    async with _running([sys.executable, "-m", "benchmarks.upstream", str(port)], {}) as process:
        base_url = f"http://127.0.0.1:{port}/v1"
        await _answers(base_url, {})
        yield Subject(name="direct", base_url=base_url, process=process)


@asynccontextmanager
async def langroute(database_url: str, provider_url: str) -> AsyncIterator[Subject]:
    """Everything on: authentication, both limits, prices, the ledger in Postgres."""
    port = free_port()
    env = {
        "DATABASE_URL": database_url,
        "ENCRYPTION_KEY": secrets.token_hex(32),
        "LANGROUTE_DEV": "true",
        "LANGROUTE_LOG_LEVEL": "warning",
        "PORT": str(port),
    }
    command = [str(Path(sys.executable).parent / "langroute"), "serve"]
    async with _running(command, env):
        key = await _set_up(f"http://127.0.0.1:{port}", provider_url)
    # Again, now that the database is migrated and knows the route.
    headers = {"Authorization": f"Bearer {key}"}
    began = time.perf_counter()
    async with _running(command, env) as process:
        base_url = f"http://127.0.0.1:{port}/v1"
        await _answers(base_url, headers)
        yield Subject(
            name="langroute",
            base_url=base_url,
            process=process,
            headers=headers,
            start_s=time.perf_counter() - began,
        )


@asynccontextmanager
async def litellm(command: str, provider_url: str) -> AsyncIterator[Subject]:
    """Its proxy with a master key only: no database, so no virtual keys, limits or ledger."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(
            f"""\
model_list:
  - model_name: {MODEL}
    litellm_params:
      model: openai/{MODEL}
      api_base: {provider_url}
      api_key: sk-bench
litellm_settings: {{telemetry: false, num_retries: 0}}
general_settings: {{master_key: sk-bench-master}}
"""
        )
        began = time.perf_counter()
        arguments = [command, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        async with _running(arguments, env) as process:
            base_url = f"http://127.0.0.1:{port}/v1"
            headers = {"Authorization": "Bearer sk-bench-master"}
            await _answers(base_url, headers)
            yield Subject(
                name="litellm",
                base_url=base_url,
                process=process,
                headers=headers,
                start_s=time.perf_counter() - began,
            )


def litellm_command() -> str | None:
    """`LITELLM` in the environment, or what is on the path."""
    return os.environ.get("LITELLM") or shutil.which("litellm")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def _running(command: list[str], env: dict[str, str]) -> AsyncIterator[psutil.Process]:
    process = subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, 40)
        except subprocess.TimeoutExpired:
            process.kill()


async def _answers(base_url: str, headers: dict[str, str]) -> None:
    """Waits until it answers a chat."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
    until = time.perf_counter() + _START_S
    async with aiohttp.ClientSession() as session:
        while time.perf_counter() < until:
            try:
                url = f"{base_url}/chat/completions"
                async with session.post(url, json=body, headers=headers) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)
    raise RuntimeError(f"{base_url} did not answer within {_START_S:g} s")


async def _set_up(url: str, provider_url: str) -> str:
    """A provider, a route, a price, and a key with limits that are counted and never reached."""
    until = time.perf_counter() + _START_S
    async with aiohttp.ClientSession(url) as session:
        while True:
            try:
                async with session.get("/readyz"):
                    break
            except aiohttp.ClientError:
                if time.perf_counter() > until:
                    raise
                await asyncio.sleep(0.05)

        async def call(method: str, path: str, body: object) -> dict[str, Any]:
            async with session.request(method, path, json=body) as response:
                response.raise_for_status()
                answer: dict[str, Any] = await response.json()
                return answer

        provider = {"kind": "openai", "base_url": provider_url, "needs_credential": False}
        await call("PUT", "/api/providers/bench", provider)
        target = {"provider": "bench", "model": "bench-1"}
        await call("PUT", f"/api/routes/{MODEL}", {"targets": [target]})
        price = {"provider": "bench", "model": "bench-1", "input": "0.5", "output": "1.5"}
        await call("POST", "/api/prices", price)
        limits = {"requests_per_minute": 10**9, "tokens_per_minute": 10**12}
        return str((await call("POST", "/api/keys", limits))["virtual_key"])
