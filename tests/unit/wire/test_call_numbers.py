"""Tool calls of a streamed answer, put together whatever an upstream leaves out."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.call_numbers import CallNumbers
from langroute.adapters.wire.codec import EncodedChat
from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.sse import Event
from langroute.adapters.wire.translated import TranslatedEvents
from langroute.domain.providers import ProviderKind

Pieces = list[list[dict[str, Any]]]


def piece(
    arguments: str, name: str | None = None, call_id: str | None = None, index: object = None
) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    told = {"id": call_id, "index": index}
    return {"function": function} | {k: v for k, v in told.items() if v is not None}


def put_together(pieces: Pieces) -> list[tuple[str, str]]:
    """The name and the arguments of each call, as clients find them by the index."""
    numbers = CallNumbers()
    made: dict[int, tuple[str, str]] = {}
    ids: dict[int, str] = {}
    for calls in pieces:
        numbers.number(calls)
        for call in calls:
            number, function = call["index"], call["function"]
            name, arguments = made.get(number, ("", ""))
            made[number] = (name or function.get("name", ""), arguments + function["arguments"])
            if number not in ids:
                ids[number] = call["id"]
    assert sorted(made) == list(range(len(made)))
    assert len(set(ids.values())) == len(ids)
    return [made[number] for number in sorted(made)]


BOTH = [("f", "{1}"), ("g", "{2}")]


@pytest.mark.parametrize(
    "pieces",
    [
        [
            [piece("{", "f", "a", 0)],
            [piece("{", "g", "b", 1)],
            [piece("1}", index=0), piece("2}", index=1)],
        ],
        [[piece("{1}", "f", "a")], [piece("{2}", "g", "b")]],
        [[piece("{1}", "f", "a"), piece("{2}", "g", "b")]],
        [[piece("{", "f", "a")], [piece("1}")], [piece("{", "g", "b")], [piece("2}")]],
        [[piece("{", "f", "a")], [piece("1}", None, "a")], [piece("{2}", "g", "b")]],
        [
            [piece("{", "f", "a")],
            [piece("{", "g", "b")],
            [piece("1}", None, "a")],
            [piece("2}", None, "b")],
        ],
        [[piece("{", "f"), piece("{", "g")], [piece("1}"), piece("2}")]],
        [[piece("{1}", "f")], [piece("{2}", "g")]],
        [[piece("{1}", "f", "a", 0)], [piece("{2}", "g", "b", 0)]],
        [[piece("{", "f", "a", 0)], [piece("1}", index=0)], [piece("{2}", "g", "b", 0)]],
        [[piece("{1}", "f", "a")], [piece("{", "g", "b", 1)], [piece("2}", index=1)]],
        [[piece("{1}", "f", "a", -1)], [piece("{2}", "g", "b", 2**64 - 1)]],
        [[piece("{1}", "f", "a", "0")], [piece("{2}", "g", "b", True)]],
    ],
    ids=[
        "numbered",
        "whole ones, with ids alone",
        "both in one chunk",
        "pieces of the last",
        "an id that is repeated",
        "in turns, by their ids",
        "by their places",
        "by their names",
        "all with one number",
        "all with one number, in pieces",
        "some numbered",
        "numbers that are none",
        "numbers that are something else",
    ],
)
def test_each_call_is_one_call(pieces: Pieces) -> None:
    assert put_together(pieces) == BOTH


def test_an_id_made_up_for_each_piece_begins_no_other_call() -> None:
    assert put_together([[piece("{", "f", "a", 0)], [piece("1}", None, "b", 0)]]) == BOTH[:1]


def test_only_the_piece_that_begins_a_call_is_given_an_id() -> None:
    numbers = CallNumbers()
    begins, goes_on = piece("{", "f", index=1), piece("}", index=1)
    numbers.number([begins])
    numbers.number([goes_on])
    assert begins["id"].startswith("call_")
    assert goes_on == {"index": 1, "function": {"arguments": "}"}}


NAMES = st.none() | st.sampled_from(["f", "g", ""])
ODD = st.none() | st.integers() | st.text(max_size=2) | st.booleans() | st.lists(st.none())
PIECE = st.builds(
    piece, st.just("x"), NAMES, st.none() | st.sampled_from(["", "a", "b"]), ODD
) | st.dictionaries(st.sampled_from(["id", "index", "function", "custom", "type"]), ODD)


@given(st.lists(st.lists(PIECE, max_size=3), max_size=6))
def test_every_piece_is_numbered_and_each_first_one_has_an_id(pieces: Pieces) -> None:
    numbers = CallNumbers()
    seen: set[int] = set()
    for calls in pieces:
        numbers.number(calls)
        for call in calls:
            assert 0 <= call["index"] < 2**32
            assert call["index"] in seen or (isinstance(call["id"], str) and call["id"])
            seen.add(call["index"])


@pytest.mark.parametrize("kind", ["openai", "mistral", "azure"])
@pytest.mark.parametrize("call_id", ["a", "null", None])
def test_choices_are_numbered_apart_whichever_server_it_is(kind: str, call_id: str | None) -> None:
    codec = all_codecs()[ProviderKind(kind)]
    reader = TranslatedEvents(codec, EncodedChat(path="", body={}), "m")
    told = {} if call_id is None else {"id": call_id}
    call: dict[str, Any] = {**told, "function": {"name": "f", "arguments": "{}"}}
    deltas = [{"index": index, "delta": {"tool_calls": [call]}} for index in (0, 1)]
    chunks = reader.read(Event(orjson.dumps({"choices": deltas})))
    assert chunks is not None
    (chunk,) = chunks
    for choice in chunk.body["choices"]:
        (made,) = choice["delta"]["tool_calls"]
        assert made["index"] == 0
        assert made["id"] not in ("", None, *(["null"] if kind == "mistral" else []))


@pytest.mark.parametrize("call_id", ["null", "", None])
def test_a_whole_answer_s_call_has_an_id_too(call_id: str | None) -> None:
    call = {"id": call_id, "function": {"name": "f", "arguments": "{}"}}
    body = {"choices": [{"message": {"tool_calls": [call]}}]}
    reply = all_codecs()[ProviderKind("mistral")].reply(body, EncodedChat(path="", body={}))
    (made,) = reply["choices"][0]["message"]["tool_calls"]
    assert made["id"].startswith("call_")
