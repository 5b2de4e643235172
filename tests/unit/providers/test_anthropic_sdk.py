"""What is sent, and what the double answers, is as the vendor's own client library types it."""

from collections.abc import Mapping
from typing import Any

from anthropic import types
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from hypothesis import given
from pydantic import BaseModel, TypeAdapter
from test_anthropic_requests import CONVERSATIONS, MODELS, WISHES, encoded

from langroute.adapters.wire.upstream import HttpUpstream
from upstreams.anthropic import AnthropicUpstream
from upstreams.anthropic_rules import BLOCK_FIELDS, REQUEST_FIELDS, TOOL_FIELDS
from upstreams.calls import call_to
from upstreams.seen import Seen
from upstreams.turn import Turn

REQUESTS: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
EVENTS: TypeAdapter[Any] = TypeAdapter(types.RawMessageStreamEvent)
# The newest models take none of them, so that the library has dropped them.
OF_OLDER_MODELS = {"temperature", "top_p", "top_k"}
CALL = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def drained(value: Any) -> Any:
    """What was validated, with the lists that are checked only while they are read."""
    if isinstance(value, Mapping):
        return {name: drained(inner) for name, inner in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    return [drained(inner) for inner in value]


@given(MODELS, CONVERSATIONS, WISHES)
def test_whatever_openai_takes_becomes_what_their_client_would_send(
    model: str, messages: list[dict[str, Any]], wishes: dict[str, Any]
) -> None:
    sent = encoded(model, messages=messages, **wishes).body
    typed = {name: value for name, value in sent.items() if name not in OF_OLDER_MODELS}
    assert drained(REQUESTS.validate_python(typed)) == typed


async def test_the_double_answers_as_their_client_reads_it(upstream: HttpUpstream) -> None:
    async with AnthropicUpstream() as anthropic:
        anthropic.say("Yes.", reasoning="Hm.", tool_calls=[CALL])
        await upstream.complete(call_to(anthropic))
        seen: Seen = anthropic.seen[0]
        turn = Turn(text="Yes.", reasoning="Hm.", tool_calls=[CALL])
        message = types.Message.model_validate(anthropic.reply(seen, turn))
        assert [block.type for block in message.content] == ["thinking", "tool_use"]
        for event in anthropic.events(seen, turn):
            read = EVENTS.validate_python(event) if event["type"] != "ping" else None
            assert isinstance(read, BaseModel | None)


def test_the_double_knows_the_fields_that_their_client_sends() -> None:
    assert frozenset(MessageCreateParamsNonStreaming.__annotations__) <= REQUEST_FIELDS
    assert frozenset(types.ToolParam.__annotations__) == TOOL_FIELDS
    blocks: dict[str, Any] = {
        "text": types.TextBlockParam,
        "image": types.ImageBlockParam,
        "document": types.DocumentBlockParam,
        "thinking": types.ThinkingBlockParam,
        "redacted_thinking": types.RedactedThinkingBlockParam,
        "tool_use": types.ToolUseBlockParam,
        "tool_result": types.ToolResultBlockParam,
    }
    told = {
        kind: set(block.__annotations__) - {"type", "cache_control"}
        for kind, block in blocks.items()
    }
    assert told == BLOCK_FIELDS
