"""Responses as they are sent to those who speak them, and to those who do not.

https://platform.openai.com/docs/api-reference/responses/create and /responses-streaming
"""

from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from responses_asked import ANY_JSON, asked

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.malformed import BrokeOff, Malformed
from langroute.adapters.wire.native import NativeEvents
from langroute.adapters.wire.sse import Event
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect
from langroute.domain.errors import UnsupportedField
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from langroute.domain.usage import TokenUsage
from langroute.entrypoints.http.dialects.responses.events import OwnEvents
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream

OPENAI = "https://api.openai.com/v1"
CODEC = all_codecs()[ProviderKind.OPENAI]
ASKED: dict[str, Any] = {
    "instructions": "Be brief.",
    "input": [{"type": "item_reference", "id": "msg_1"}],
    "tools": [{"type": "web_search"}],
    "previous_response_id": "resp_1",
    "reasoning": {"effort": "low", "summary": "auto"},
    "stream_options": {"include_obfuscation": False},
    "of_tomorrow": {"a": 1},
}
# A stream as OpenAI sends it: its fields, and their order.
STREAM = [
    (
        b"event: response.created\n"
        b'data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_67c9",'
        b'"object":"response","status":"in_progress","output":[],"usage":null}}'
    ),
    (
        b"event: response.output_item.added\n"
        b'data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,'
        b'"item":{"id":"ws_67c9","type":"web_search_call","status":"in_progress"}}'
    ),
    (
        b"event: response.web_search_call.searching\n"
        b'data: {"type":"response.web_search_call.searching","sequence_number":2,"output_index":0,'
        b'"item_id":"ws_67c9"}'
    ),
    (
        b"event: response.output_text.delta\n"
        b'data: {"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_67c9",'
        b'"output_index":1,"content_index":0,"delta":"Hi","logprobs":[],"obfuscation":"Xz81"}'
    ),
    (
        b"event: response.completed\n"
        b'data: {"type":"response.completed","sequence_number":4,"response":{"id":"resp_67c9",'
        b'"object":"response","status":"completed","output":[],"usage":{"input_tokens":12,'
        b'"input_tokens_details":{"cached_tokens":7},"output_tokens":9,'
        b'"output_tokens_details":{"reasoning_tokens":4},"total_tokens":21}}}'
    ),
]


def call(
    chat: ChatRequest,
    base_url: str,
    kind: ProviderKind = ProviderKind.OPENAI,
    cap: int | None = None,
) -> UpstreamCall[ChatRequest]:
    return UpstreamCall(
        provider=Provider(name="acme", kind=kind, base_url=base_url),
        credential=None,
        model="sent-model",
        request=chat,
        output_cap=cap,
        timeouts=Timeouts(),
    )


@pytest.mark.parametrize("stream", [False, True])
def test_openai_itself_is_sent_what_the_caller_wrote(stream: bool) -> None:
    chat = asked(**ASKED, stream=True)
    before = orjson.dumps(chat.native.body) if chat.native else b""
    sent = CODEC.encode(call(chat, OPENAI), stream=stream)
    assert (sent.path, sent.dialect, sent.dropped) == ("/responses", Dialect.RESPONSES, ())
    assert sent.body == {**ASKED, "model": "sent-model", "stream": stream}
    assert chat.native is not None
    assert orjson.dumps(chat.native.body) == before


def test_the_cap_that_was_reserved_is_sent_under_its_name_in_this_dialect() -> None:
    sent = CODEC.encode(call(asked(max_output_tokens=50), OPENAI, cap=20), stream=False)
    assert sent.body["max_output_tokens"] == 20


@pytest.mark.parametrize("base_url", ["https://acme.example/v1", "http://127.0.0.1:8000/v1"])
def test_any_other_server_of_its_kind_is_sent_a_chat(base_url: str) -> None:
    sent = CODEC.encode(call(asked(instructions="Be brief."), base_url), stream=False)
    assert (sent.path, sent.dialect) == ("/chat/completions", None)
    assert [message["role"] for message in sent.body["messages"]] == ["system", "user"]
    assert "input" not in sent.body


async def test_what_has_no_translation_is_not_sent_to_others(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, mistral_upstream: MistralUpstream
) -> None:
    chat = asked(previous_response_id="resp_1")
    for double in (openai_upstream, mistral_upstream):
        for ask in (upstream.complete, upstream.stream):
            with pytest.raises(UnsupportedField, match=r"acme does not speak") as caught:
                await ask(call(chat, double.base_url, double.kind))
            assert caught.value.param == "previous_response_id"
        assert double.seen == []


async def test_what_the_translation_leaves_out_is_dropped_like_what_the_provider_cannot_take(
    upstream: HttpUpstream, mistral_upstream: MistralUpstream
) -> None:
    chat = asked(truncation="auto", user="somebody")
    reply = await upstream.complete(call(chat, mistral_upstream.base_url, ProviderKind.MISTRAL))
    assert set(reply.dropped) == {"truncation", "user"}
    assert reply.dialect is None


def passed_on(reader: NativeEvents, events: Iterable[Event]) -> Iterable[tuple[bytes, Any]]:
    writer = OwnEvents()
    for event in events:
        for chunk in reader.read(event) or ():
            yield writer.chunk(chunk.body), chunk


def test_a_stream_passes_byte_for_byte_and_is_read_for_what_it_used() -> None:
    events = [
        Event(data.removeprefix(b"data: "), name.removeprefix(b"event: "))
        for name, data in (block.split(b"\n") for block in STREAM)
    ]
    reader = NativeEvents(CODEC, Dialect.RESPONSES)
    seen = list(passed_on(reader, events))
    assert [written for written, _ in seen] == [block + b"\n\n" for block in STREAM]
    assert sum(chunk.text_bytes for _, chunk in seen) == len("Hi")
    assert [chunk.usage for _, chunk in seen[:-1]] == [None] * 4
    assert seen[-1][1].usage == TokenUsage(input=5, cached_input=7, output=5, reasoning=4)
    reader.check_finished()


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({"error": {"code": "server_error", "message": "Out of luck."}}, "Out of luck."),
        ({"error": None}, "it failed"),
        ("nothing", "it failed"),
    ],
)
def test_a_response_that_failed_is_passed_on_and_then_breaks_off(
    response: Any, message: str
) -> None:
    failed = Event(orjson.dumps({"type": "response.failed", "response": response}))
    reader = NativeEvents(CODEC, Dialect.RESPONSES)
    assert reader.read(Event(b'{"type":"response.created","response":{}}'))
    assert reader.read(failed)
    with pytest.raises(BrokeOff, match=f"broke off: {message}"):
        reader.check_finished()
    with pytest.raises(BrokeOff, match=f"broke off: {message}"):
        reader.read(failed)


NATIVE = st.dictionaries(
    st.sampled_from(
        [
            *("type", "delta", "choices", "usage", "response", "message", "error"),
            *("sequence_number", "code"),
        ]
    ),
    ANY_JSON
    | st.sampled_from(
        [
            *("response.completed", "response.failed", "response.created", "error"),
            *("message_start", "message_delta", "message_stop"),
        ]
    )
    | st.dictionaries(st.sampled_from(["usage", "error", "text", "finish_reason"]), ANY_JSON),
)


@given(st.sampled_from(Dialect), st.lists(NATIVE | ANY_JSON, max_size=4))
def test_whatever_a_server_sends_is_passed_on_or_refused(
    dialect: Dialect, bodies: list[Any]
) -> None:
    reader = NativeEvents(CODEC, dialect)
    try:
        for written, chunk in passed_on(reader, (Event(orjson.dumps(body)) for body in bodies)):
            assert orjson.loads(written.split(b"data: ", 1)[1]) == chunk.body
        reader.check_finished()
    except (Malformed, BrokeOff):
        pass
