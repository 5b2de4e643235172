"""Counts that no usage can be, whose sums no JSON writer takes: they are not told on."""

from typing import Any

import orjson
import pytest

from langroute.adapters.wire.codec import EncodedChat
from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.usage import token_usage
from langroute.domain.chat import ChatRequest
from langroute.domain.errors import ProviderBrokeOff
from langroute.domain.providers import ProviderKind
from langroute.entrypoints.http.dialects.messages.replies import message_of
from langroute.entrypoints.http.dialects.responses.events import OwnEvents
from langroute.entrypoints.http.dialects.responses.replies import response_of
from langroute.entrypoints.http.errors import explained

MOST = 2**64 - 1
ASKED = ChatRequest.parse({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
OPENAI: dict[str, Any] = {
    "choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": MOST,
        "completion_tokens": MOST,
        "completion_tokens_details": {"reasoning_tokens": MOST},
    },
}
OTHERS: dict[str, dict[str, Any]] = {
    "anthropic": {
        "content": [{"type": "text", "text": "x"}],
        "usage": {"input_tokens": MOST, "output_tokens": MOST},
    },
    "gemini": {
        "candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": MOST,
            "toolUsePromptTokenCount": MOST,
            "candidatesTokenCount": MOST,
            "thoughtsTokenCount": MOST,
        },
    },
}


@pytest.mark.parametrize("kind", sorted(all_codecs()))
def test_every_answer_can_be_written_in_every_dialect(kind: ProviderKind) -> None:
    came = orjson.loads(orjson.dumps(OTHERS.get(kind, OPENAI)))
    reply = all_codecs()[kind].reply(came, EncodedChat(path="", body={}))
    for told in (reply, response_of({}, reply), message_of(reply, ASKED)):
        assert b"x" in orjson.dumps(told)
    assert token_usage(reply.get("usage")) is None


def test_an_event_s_number_can_always_be_followed_by_another() -> None:
    writer = OwnEvents()
    writer.chunk({"type": "response.created", "sequence_number": MOST, "response": {}})
    written = writer.fail(*explained(ProviderBrokeOff("Gone.", provider="acme")))
    assert b'"sequence_number":1,' in written
