"""The examples run as they are, each in a process of its own."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from server_process import clean_environment
from upstreams.openai import OpenAIUpstream

_EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="langroute-example-") as folder:
        yield Path(folder)


async def started(name: str, folder: Path, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(_EXAMPLES / name),
        cwd=folder,
        env=clean_environment(**environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def said(process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_an_adapter_is_swapped(folder: Path) -> None:
    text = await said(await started("swap_an_adapter.py", folder))
    assert text == "Who's a good bird?\n1 call, 4 + 4 tokens\n"
    assert list(folder.iterdir()) == []


async def test_a_script_embeds_the_gateway(folder: Path) -> None:
    async with OpenAIUpstream(credential="sk-example") as upstream:
        upstream.say("Because of Rayleigh scattering.")
        text = await said(
            await started(
                "embed_in_a_script.py",
                folder,
                OPENAI_API_KEY="sk-example",
                OPENAI_BASE_URL=upstream.base_url,
            )
        )
    assert text.startswith("Because of Rayleigh scattering.\n")
    cost = text.split("this cost $")[1].split()[0]
    assert float(cost) > 0
    assert f"gpt-4o-mini: 1 calls, ${cost}" in text


async def test_a_web_application_embeds_the_gateway(folder: Path) -> None:
    async with OpenAIUpstream(credential="sk-example") as upstream:
        upstream.say("A greeting.")
        process = await started(
            "embed_in_a_web_application.py",
            folder,
            OPENAI_API_KEY="sk-example",
            OPENAI_BASE_URL=upstream.base_url,
            APP_PORT="0",
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(60):
                line = (await process.stdout.readline()).decode()
            url = next(word for word in line.split() if word.startswith("http"))
            async with (
                aiohttp.ClientSession() as http,
                http.post(f"{url}/summaries", json={"text": "Hello, world!"}) as response,
            ):
                answer = await response.json()
        finally:
            process.terminate()
            await process.communicate()
    assert answer["summary"] == "A greeting."
    assert float(answer["cost_usd"]) > 0
