"""Tool calls that a stream tells without numbers, each begun by an id of its own, are as many calls
for callers of every dialect."""

from typing import Any

import orjson
import pytest

from asked_in_each_dialect import PATHS, how_it_ends, request
from upstreams.obliging import ObligingServer, streamed
from watched_gateway import WatchedGateway

# Where the dialect is not the provider's own.
ASKED = [
    *(("chat", kind) for kind in ("openai", "mistral", "azure", "vllm")),
    *(("responses", kind) for kind in ("mistral", "cerebras")),
    *(("messages", kind) for kind in ("openai", "mistral", "azure")),
]
KINDS = sorted({kind for _, kind in ASKED})
BOTH = {("aaaaaaaaa", "f", '{"x":1}'), ("bbbbbbbbb", "g", '{"y":2}')}


def chunk(*calls: dict[str, Any], reason: str | None = None) -> tuple[bytes, Any]:
    choice = {"index": 0, "delta": {"tool_calls": list(calls)} if calls else {}}
    return b"", {"id": "x", "choices": [{**choice, "finish_reason": reason}]}


def call(arguments: str, call_id: str | None = None, name: str | None = None) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    told = {"id": call_id, "type": "function"} if call_id else {}
    return {**told, "function": {key: v for key, v in function.items() if v is not None}}


A, B = "aaaaaaaaa", "bbbbbbbbb"
WAYS = {
    "whole": [chunk(call('{"x":1}', A, "f")), chunk(call('{"y":2}', B, "g"))],
    "in pieces": [
        chunk(call("", A, "f")),
        chunk(call('{"x":')),
        chunk(call("1}")),
        chunk(call('{"y":', B, "g")),
        chunk(call("2}")),
    ],
    "in pieces with their ids": [
        chunk(call('{"x":', A, "f")),
        chunk(call('{"y":', B, "g")),
        chunk(call("1}", A)),
        chunk(call("2}", B)),
    ],
    "in one chunk": [chunk(call('{"x":1}', A, "f"), call('{"y":2}', B, "g"))],
    "without an end": [chunk(call('{"x":1}', A, "f")), chunk(call('{"y":2}', B, "g"))],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("dialect", "kind"), ASKED)
async def test_each_is_a_call_of_its_own(
    watched: WatchedGateway, obliging: ObligingServer, dialect: str, kind: str, way: str
) -> None:
    end = [] if way == "without an end" else [chunk(reason="tool_calls")]
    obliging.answer = lambda *_: streamed([*WAYS[way], *end, (b"", b"[DONE]")])
    heard = await watched.post(PATHS[dialect], orjson.dumps(request(dialect, kind, stream=True)))
    await watched.newly_settled()
    assert how_it_ends(dialect, heard.body) == "well"
    lines = [line[6:] for line in heard.body.split(b"\n") if line.startswith(b"data: {")]
    told = [orjson.loads(line) for line in lines]
    assert READ[dialect](told) == BOTH


Calls = set[tuple[str, str, str]]


def of_chat(told: list[Any]) -> Calls:
    made: dict[int, list[str]] = {}
    for body in told:
        for choice in body["choices"]:
            for piece in choice["delta"].get("tool_calls", ()):
                function = piece["function"]
                begun = made.setdefault(piece["index"], [piece.get("id"), "", ""])
                begun[1] = begun[1] or function.get("name", "")
                begun[2] += function.get("arguments", "")
    return {(call_id, name, arguments) for call_id, name, arguments in made.values()}


def of_responses(told: list[Any]) -> Calls:
    done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    return {
        (item["call_id"], item["name"], item["arguments"])
        for item in done
        if item["type"] == "function_call"
    }


def of_messages(told: list[Any]) -> Calls:
    made: dict[int, list[str]] = {}
    for event in told:
        match event:
            case {"content_block": {"type": "tool_use", "id": call_id, "name": name}}:
                made[event["index"]] = [call_id, name, ""]
            case {"delta": {"partial_json": piece}}:
                made[event["index"]][2] += piece
    return {(call_id, name, arguments) for call_id, name, arguments in made.values()}


READ = {"chat": of_chat, "responses": of_responses, "messages": of_messages}
