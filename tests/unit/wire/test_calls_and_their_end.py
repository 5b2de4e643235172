from typing import Any

import orjson
import pytest

from langroute.adapters.wire.codec import EncodedChat
from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.sse import Event
from langroute.adapters.wire.translated import TranslatedEvents
from langroute.domain.providers import ProviderKind

CALL = {"id": "a", "index": 0, "function": {"name": "f", "arguments": "{}"}}
SENT = EncodedChat(path="/chat/completions", body={})


def read(kind: str, *choices: dict[str, Any]) -> list[dict[str, Any]]:
    told = {"choices": list(choices), "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    reader = TranslatedEvents(all_codecs()[ProviderKind(kind)], SENT, "m")
    chunks = reader.read(Event(name=b"", data=orjson.dumps(told)))
    reader.check_finished()
    assert chunks is not None
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    return [chunk.body for chunk in chunks]


@pytest.mark.parametrize("kind", ["mistral", "openai"])
def test_why_a_choice_is_finished_comes_after_its_calls(kind: str) -> None:
    choice = {"index": 0, "delta": {"tool_calls": [CALL]}, "finish_reason": "tool_calls"}
    called, ended = (body["choices"][0] for body in read(kind, choice))
    assert called["delta"]["tool_calls"][0]["function"]["name"] == "f"
    assert (called["finish_reason"], ended["finish_reason"]) == (None, "tool_calls")
    assert ended["delta"] == {}


@pytest.mark.parametrize("kind", ["mistral", "openai"])
def test_a_last_word_stays_with_its_end(kind: str) -> None:
    (body,) = read(kind, {"index": 0, "delta": {"content": "."}, "finish_reason": "stop"})
    assert body["choices"][0]["delta"]["content"] == "."
    assert body["choices"][0]["finish_reason"] == "stop"
