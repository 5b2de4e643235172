"""The README's walk-through, command for command, against a server started as it says."""

import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server_process import ServerProcess, free_port
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream

_README = (Path(__file__).parents[2] / "README.md").read_text()
_OPENAI_KEY, _MISTRAL_KEY = "sk-your-openai-key", "your-mistral-key"


def commands(step: str) -> str:
    """The shell commands of the README that follow a marker."""
    found = re.search(rf"<!-- walk: {step} -->\n```sh\n(.*?)```", _README, re.DOTALL)
    assert found, f"the README has no step {step!r}"
    return found[1]


class Walk:
    """Runs the README's commands in a shell, with this server's port and program."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.key = ""

    async def run(self, script: str) -> str:
        script = script.replace("http://localhost:3000", f"http://localhost:{self._server.port}")
        script = script.replace(".venv/bin/langroute", f"{sys.executable} -m langroute")
        script = script.replace("curl ", "curl -sS --max-time 20 -D headers.txt ")
        done = await self._server.in_shell(script, VIRTUAL_KEY=self.key)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def chat(self) -> tuple[str, str]:
        """What was said, and the headers."""
        body = json.loads(await self.run(commands("chat")))
        headers = (self._server.folder / "headers.txt").read_text().lower()
        if "error" in body:
            return str(body["error"]["type"]), headers
        return str(body["choices"][0]["message"]["content"]), headers


@pytest.fixture
async def upstreams() -> AsyncIterator[tuple[OpenAIUpstream, MistralUpstream]]:
    async with (
        OpenAIUpstream(credential=_OPENAI_KEY) as openai,
        MistralUpstream(credential=_MISTRAL_KEY) as mistral,
    ):
        yield openai, mistral


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
async def test_the_walk_through_works_word_for_word(
    upstreams: tuple[OpenAIUpstream, MistralUpstream],
) -> None:
    openai, mistral = upstreams
    async with ServerProcess.started("--dev", port=free_port()) as server:
        walk = Walk(server)
        for name, upstream in (("openai", openai), ("mistral", mistral)):
            await walk.run(
                '.venv/bin/langroute psql -qc "UPDATE langroute.providers '
                f"SET base_url = '{upstream.base_url}' WHERE name = '{name}'\""
            )

        walk.key = json.loads(await walk.run(commands("issue")))["virtualKey"]
        assert walk.key.startswith("lrvk_")
        saved = json.loads(await walk.run(commands("save")))
        assert saved["saved"] == ["openai", "mistral"]

        said, headers = await walk.chat()
        assert said.startswith("You said: Translate")
        assert "x-langroute-attempts: openai/gpt-3.5-turbo=ok" in headers
        assert "x-langroute-cost: 0.0" in headers

        assert "UPDATE 1" in await walk.run(commands("spoil"))
        await server.until(walk.chat, lambda told: "mistral" in told[1])
        _, headers = await walk.chat()
        assert (
            "x-langroute-attempts: openai/gpt-3.5-turbo=unreadable-credential, "
            "mistral/mistral-small-latest=ok" in headers
        )
        assert "UPDATE 1" in await walk.run(commands("spoil"))
        await server.until(walk.chat, lambda told: "provider: openai" in told[1])

        assert "UPDATE 1" in await walk.run(commands("limit"))
        _, headers = await server.until(walk.chat, lambda told: " 429 " in told[1])
        assert "retry-after: " in headers
        assert "x-ratelimit-limit-requests: 5" in headers
        assert "x-ratelimit-remaining-requests: 0" in headers

        lines = commands("spend").strip().splitlines()
        table, ledger, by_model = [await walk.run(line) for line in lines]
        assert walk.key[-4:] in table
        (cost,) = re.findall(r"(0\.\d{12})", table)
        assert float(cost) > 0
        assert "mistral" in ledger
        assert "succeeded" in ledger
        assert "gpt-3.5-turbo" in by_model

        errors = await walk.run(
            commands("errors").replace("curl", "\ncurl -w '\\n%{http_code}\\n'")
        )
        answers = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
        assert [answer["error"]["code"] for answer in answers] == [
            "invalid_api_key",
            "invalid_api_key",
            "model_not_found",
        ]
        assert re.findall(r"^\d{3}$", errors, re.MULTILINE) == ["401", "401", "400"]


def test_the_readme_has_no_other_programs_than_make_and_curl() -> None:
    programs = set()
    for block in re.findall(r"```sh\n(.*?)```", _README, re.DOTALL):
        for line in re.sub(
            r"'[^']*'", "''", block.replace("\\\n", " "), flags=re.DOTALL
        ).splitlines():
            if line and not line.startswith(("#", " ", "}")):
                programs.add(line.split()[0])
    assert programs <= {"make", "curl", "export", ".venv/bin/langroute"}
