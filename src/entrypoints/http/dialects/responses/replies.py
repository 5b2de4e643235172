from collections.abc import Mapping
from typing import Any

from ..said import arguments_of, signed_thoughts_of, text_of, thoughts_of
from .envelope import Envelope, ending
from .keepsakes import extra_of, wrapped
from .output_items import (
    COMPLETED,
    call_item,
    message_item,
    reasoning_item,
    refusal_part,
    text_part,
)
from .said import annotations_of, calls_of, first_choice, logprobs_of
from .usage import responses_usage


def response_of(asked: Mapping[str, Any], chat: Mapping[str, Any]) -> dict[str, Any]:
    """A chat's whole answer, as a response to what was asked."""
    envelope = Envelope.of(asked, chat)
    choice = first_choice(chat)
    status, reason = ending(choice.get("finish_reason"))
    output = _output(envelope, choice)
    if output and "status" in output[-1]:
        output[-1]["status"] = status
    usage = responses_usage(chat.get("usage"))
    return envelope.response(status, output, usage=usage, reason=reason)


def _output(envelope: Envelope, choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    message = choice.get("message")
    said = message if isinstance(message, dict) else {}
    output: list[dict[str, Any]] = []
    thoughts, signed = thoughts_of(said), signed_thoughts_of(said)
    if thoughts or signed:
        output.append(reasoning_item(envelope.item_id("rs", 0), thoughts, wrapped(signed)))
    calls = calls_of(said)
    parts = _parts(said, choice)
    if parts or not (output or calls):
        item_id = envelope.item_id("msg", len(output))
        message_said = message_item(item_id, parts or [text_part("")], COMPLETED)
        output.append(message_said | extra_of(said))
    for call in calls:
        index = len(output)
        item = call_item(
            envelope.item_id("fc", index),
            text_of(call.get("id")) or envelope.item_id("call", index),
            text_of(call["function"].get("name")),
            arguments_of(call["function"]),
            COMPLETED,
        )
        output.append(item | extra_of(call))
    return output


def _parts(said: Mapping[str, Any], choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = []
    if text := text_of(said.get("content")):
        parts.append(text_part(text, logprobs_of(choice), annotations_of(said)))
    if refusal := text_of(said.get("refusal")):
        parts.append(refusal_part(refusal))
    return parts
