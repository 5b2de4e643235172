"""A gateway with one provider behind it, asked by hand in OpenAI's chat format."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from gateway_fixtures import Answered, RunningGateway, running_gateway
from postgres_fixtures import Databases

SECRET = "the-providers-secret"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A gateway with one provider of a kind behind the model `some-model`."""

    kind: str
    running: RunningGateway
    key: str

    async def chat(self, **fields: Any) -> Answered:
        return await self.running.chat(self.key, model="some-model", **fields)

    async def streamed(self, **fields: Any) -> list[Any]:
        answered = await self.chat(stream=True, **fields)
        assert answered.status == 200, answered
        lines = [line[6:] for line in answered.body.split("\n") if line.startswith("data: ")]
        return [orjson.loads(line) for line in lines if line != "[DONE]"]


@asynccontextmanager
async def asked(databases: Databases, kind: str, base_url: str) -> AsyncIterator[Asked]:
    async with databases.url() as url, running_gateway(url) as running:
        targets = {"targets": [{"provider": "acme", "model": "their-model"}]}
        for path, body in (
            ("/api/providers/acme", {"kind": kind, "base_url": base_url}),
            ("/api/routes/some-model", targets),
        ):
            defined = await running.call("PUT", path, body)
            assert defined.status == 200, defined
        made = (await running.call("POST", "/api/keys", {})).body
        path = f"/api/keys/{made['id']}/credentials/acme"
        assert (await running.call("PUT", path, {"secret": SECRET})).status < 300
        yield Asked(kind=kind, running=running, key=made["virtual_key"])


def text_of(chunks: list[Any]) -> str:
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk.get("choices")]
    return "".join(delta.get("content") or "" for delta in deltas)


def calls_of(chunks: list[Any]) -> list[tuple[str, Any]]:
    """Put together as a client does."""
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.get("choices", []):
            for call in choice["delta"].get("tool_calls", []):
                index, function = call["index"], call["function"]
                names[index] = names.get(index) or function.get("name")
                arguments[index] = arguments.get(index, "") + (function.get("arguments") or "")
    return [(names[index], json.loads(arguments[index])) for index in sorted(names)]


def whole_calls(message: Any) -> list[tuple[str, Any]]:
    functions = [call["function"] for call in message["tool_calls"]]
    return [(function["name"], json.loads(function["arguments"])) for function in functions]


BOTH_CITIES = [("weather", {"city": "Paris"}), ("weather", {"city": "Rome"})]


async def assert_both_are_answered(asked: Asked, message: Any) -> None:
    """The second turn: the model is told what the tools that it called have found."""
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "Sunny"}
        for call in message["tool_calls"]
    ]
    messages = [{"role": "user", "content": "Hi"}, message, *results]
    answered = await asked.chat(messages=messages, tools=[WEATHER])
    assert answered.status == 200, answered
    assert answered.body["choices"][0]["message"]["content"] == "Sunny in both."


async def assert_says(asked: Asked, text: str) -> None:
    """At once, and piece by piece."""
    whole = await asked.chat()
    assert whole.status == 200, whole
    assert whole.body["choices"][0]["message"]["content"] == text
    assert whole.body["usage"]["total_tokens"] > 0
    chunks = await asked.streamed()
    assert text_of(chunks) == text
    assert len(chunks) > 2


async def assert_calls_tools(asked: Asked) -> None:
    """At once and in a stream; then the model is told what they have found."""
    whole = await asked.chat(tools=[WEATHER])
    assert whole.status == 200, whole
    message = whole.body["choices"][0]["message"]
    assert whole_calls(message) == BOTH_CITIES
    assert calls_of(await asked.streamed(tools=[WEATHER])) == BOTH_CITIES
    await assert_both_are_answered(asked, message)
