from collections.abc import Iterable, Sequence
from contextlib import suppress
from copy import deepcopy
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.providers.anthropic.codec import AnthropicCodec
from langroute.adapters.wire.codec import EncodedChat
from langroute.adapters.wire.functions import WithFunctions
from langroute.adapters.wire.malformed import BrokeOff, Malformed
from langroute.adapters.wire.sse import EventDecoder
from langroute.adapters.wire.translated import TranslatedEvents
from upstreams.calls import call_to

CODEC = WithFunctions(AnthropicCodec())
SENT = EncodedChat(path="/messages", body={})
USAGE = {"input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 1}


def start(block: dict[str, Any]) -> dict[str, Any]:
    """As a stream begins a block: empty."""
    match block["type"]:
        case "text":
            return {**block, "text": ""}
        case "thinking":
            return {**block, "thinking": "", "signature": ""}
        case "tool_use":
            return {**block, "input": {}}
    return block


def deltas(block: dict[str, Any], size: int) -> Iterable[dict[str, Any]]:
    """The rest of it, in pieces."""

    def pieces(text: str) -> list[str]:
        return [text[at : at + size] for at in range(0, len(text), size)]

    match block["type"]:
        case "text":
            return [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
        case "thinking":
            thought = pieces(block["thinking"])
            return [
                *({"type": "thinking_delta", "thinking": piece} for piece in thought),
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case "tool_use":
            raw = orjson.dumps(block["input"]).decode() if block["input"] else ""
            return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(raw)]
    return []


def streamed(content: Sequence[dict[str, Any]], stop: str, size: int) -> list[dict[str, Any]]:
    """An answer as the provider would stream it."""
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": USAGE}}
    ]
    for index, block in enumerate(content):
        at = {"index": index}
        events.append({"type": "content_block_start", **at, "content_block": start(block)})
        events += [
            {"type": "content_block_delta", **at, "delta": delta} for delta in deltas(block, size)
        ]
        events.append({"type": "content_block_stop", **at})
    end = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 9}}
    return [*events, end, {"type": "message_stop"}]


def written(events: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event))
        for event in events
    )


def read(pieces: Iterable[bytes]) -> list[dict[str, Any]]:
    """The chunks, as the gateway reads them; what it makes up itself left out."""
    decoder, reader = EventDecoder(), TranslatedEvents(CODEC, SENT, "m")
    chunks: list[dict[str, Any]] = []
    for piece in pieces:
        for event in decoder.feed(piece):
            if (read := reader.read(event)) is None:
                return chunks
            chunks += [{**chunk.body, "created": 0} for chunk in read]
    raise AssertionError("it did not end")


def joined(chunks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One message out of its deltas, as a client library joins them."""
    message: dict[str, Any] = {"content": "", "tool_calls": [], "thinking_blocks": []}
    message["reasoning_content"] = ""
    for chunk in chunks:
        (choice,) = chunk["choices"]
        delta = choice["delta"]
        for name in ("content", "reasoning_content"):
            message[name] += delta.get(name) or ""
        for block in delta.get("thinking_blocks", []):
            assert block["index"] == len(message["thinking_blocks"])
            told = {name: value for name, value in block.items() if name != "index"}
            message["thinking_blocks"].append(told)
        for call in delta.get("tool_calls", []):
            if call["index"] == len(message["tool_calls"]):
                told = {name: value for name, value in call.items() if name != "index"}
                message["tool_calls"].append(deepcopy(told))
            else:
                called = message["tool_calls"][call["index"]]["function"]
                called["arguments"] += call["function"]["arguments"]
    assert chunks[-1]["choices"][0]["finish_reason"]
    return {name: value for name, value in message.items() if value}


INPUTS = st.dictionaries(st.text(max_size=3), st.one_of(st.text(), st.integers(-9, 9)), max_size=2)
BLOCKS = st.lists(
    st.one_of(
        st.builds(lambda text: {"type": "text", "text": text}, st.text(min_size=1)),
        st.builds(
            lambda text, name: {"type": "thinking", "thinking": text, "signature": name},
            st.text(),
            st.text("abc", min_size=1),
        ),
        st.just({"type": "redacted_thinking", "data": "b3Bh"}),
        st.builds(
            lambda number, given: {"type": "tool_use", "id": number, "name": "f", "input": given},
            st.text("abc", min_size=1),
            INPUTS,
        ),
    ),
    max_size=4,
)


@given(BLOCKS, st.integers(1, 5))
def test_an_answer_says_the_same_whole_and_streamed(
    content: list[dict[str, Any]], size: int
) -> None:
    came = {"content": deepcopy(content), "stop_reason": "end_turn", "usage": USAGE}
    whole = CODEC.reply(came, SENT)["choices"][0]["message"]
    said = joined(read([written(streamed(content, "end_turn", size))]))
    assert said == {
        name: value
        for name, value in whole.items()
        if value and name in {"content", "tool_calls", "thinking_blocks", "reasoning_content"}
    }


@given(BLOCKS, st.data())
def test_a_stream_may_be_cut_anywhere_by_the_network(
    content: list[dict[str, Any]], data: st.DataObject
) -> None:
    raw = written(streamed(content, "tool_use", 3))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in pairwise([0, *cuts, len(raw)])]
    assert read(pieces) == read([raw])


@given(st.text(min_size=1).filter(str.strip), INPUTS, BLOCKS)
def test_text_tools_and_thoughts_survive_there_and_back(
    text: str, given_input: dict[str, Any], blocks: list[dict[str, Any]]
) -> None:
    thoughts = [block for block in blocks if "thinking" in block["type"]]
    function = {"name": "f", "arguments": orjson.dumps(given_input).decode()}
    said: dict[str, Any] = {
        "content": text,
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        **({"thinking_blocks": thoughts} if thoughts else {}),
    }
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", **said},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
    ]
    sent = CODEC.encode(call_to("https://acme.example/v1", messages=messages), stream=False)
    content = sent.body["messages"][1]["content"]
    back = CODEC.reply({"content": content, "stop_reason": "tool_use"}, SENT)["choices"][0]
    assert {name: back["message"][name] for name in said} == said
    assert back["finish_reason"] == "tool_calls"
    assert sent.dropped == ()


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(
                [
                    *("type", "text", "thinking", "signature", "data", "input", "id", "name"),
                    *("partial_json", "stop_reason", "stop_details", "explanation", "usage"),
                    *("input_tokens", "output_tokens", "output_tokens_details", "model", "said"),
                    *("thinking_tokens", "message", "delta", "content_block", "content"),
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
OF_BLOCKS = st.one_of(
    st.sampled_from(["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"]),
    st.sampled_from(["text_delta", "thinking_delta", "signature_delta", "input_json_delta"]),
    JUNK,
)
TYPED = st.one_of(
    JUNK,
    st.builds(
        lambda kind, rest: {**(rest if isinstance(rest, dict) else {}), "type": kind},
        OF_BLOCKS,
        JUNK,
    ),
)
EVENTS = st.fixed_dictionaries(
    {
        "type": st.one_of(
            st.sampled_from(
                [
                    *("message_start", "content_block_start", "content_block_delta", "ping"),
                    *("content_block_stop", "message_delta", "message_stop", "odd"),
                ]
            ),
            JUNK,
        )
    },
    optional={
        "index": st.one_of(st.integers(0, 1), JUNK),
        "message": JUNK,
        "content_block": TYPED,
        "delta": TYPED,
        "usage": JUNK,
    },
)


@given(st.lists(EVENTS, max_size=8))
def test_no_event_is_too_strange_to_be_told_from_an_answer(events: list[dict[str, Any]]) -> None:
    reader = TranslatedEvents(CODEC, SENT, "m")
    decoder = EventDecoder()
    for event in decoder.feed(b"".join(b"data: %s\n\n" % orjson.dumps(e) for e in events)):
        with suppress(Malformed, BrokeOff):
            for chunk in reader.read(event) or ():
                assert isinstance(chunk.body["choices"], list)


@given(st.fixed_dictionaries({}, optional={"content": st.lists(TYPED), "usage": JUNK}), JUNK)
def test_no_reply_is_too_strange_to_be_told_from_an_answer(
    body: dict[str, Any], stop: object
) -> None:
    with suppress(Malformed):
        reply = CODEC.reply({**body, "stop_reason": stop}, SENT)
        assert isinstance(reply["choices"][0]["finish_reason"], str)


@given(st.one_of(JUNK, st.builds(lambda error: {"error": error}, JUNK)))
def test_no_complaint_is_too_strange_to_be_read(body: object) -> None:
    complaint = CODEC.complaint(body if isinstance(body, dict) else {})
    assert isinstance(complaint.message, str | None)
    assert isinstance(complaint.code, str | None)
