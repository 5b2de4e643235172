"""Text completions, as https://platform.openai.com/docs/api-reference/completions has them. Most
providers have chats only: there the prompt is what the user says."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from ....application.calls.complete_chat import CompletedChat
from ....application.calls.stream_chat import ChatStream
from ....domain.chat import ChatRequest
from ....domain.dialects import Dialect, Native
from ....domain.errors import InvalidRequest
from .chat_completions import DONE
from .dialect import DialectFront, OpenAIErrors

# What a chat has under the same name, and with the same meaning.
_SHARED = (
    *("model", "stream", "stream_options", "max_tokens", "n", "temperature", "top_p", "stop"),
    *("frequency_penalty", "presence_penalty", "seed", "logit_bias", "user"),
)
# By default, a text completion is this long.
_DEFAULT_CAP = 16


class Completions(OpenAIErrors):
    def parse(self, body: object) -> ChatRequest:
        if not isinstance(body, dict):
            raise InvalidRequest("The request body must be a JSON object.")
        chat = {name: body[name] for name in _SHARED if body.get(name) is not None}
        chat["messages"] = [{"role": "user", "content": _prompt(body)}]
        chat.setdefault("max_tokens", _DEFAULT_CAP)
        native = Native(dialect=Dialect.COMPLETIONS, body=body, dropped=_lost(body))
        return ChatRequest.parse(chat, native)

    def reply(self, asked: ChatRequest, completed: CompletedChat) -> Mapping[str, Any]:
        del asked
        if completed.dialect is Dialect.COMPLETIONS:
            return completed.body
        return _text_completion(completed.body)

    async def events(self, asked: ChatRequest, stream: ChatStream) -> AsyncIterator[bytes]:
        del asked
        async for chunk in stream:
            native = stream.dialect is Dialect.COMPLETIONS
            yield b"data: " + orjson.dumps(chunk if native else _text_completion(chunk)) + b"\n\n"
        yield DONE


def _prompt(body: Mapping[str, Any]) -> str:
    match body.get("prompt"):
        case str(text) | [str(text)]:
            return text
        case None:
            raise InvalidRequest("Missing required parameter: 'prompt'.", param="prompt")
        case _:
            raise InvalidRequest("'prompt' must be one text.", param="prompt")


def _lost(body: Mapping[str, Any]) -> tuple[str, ...]:
    """What a chat has no counterpart of, or another one under the same name."""
    return tuple(
        name
        for name, value in body.items()
        if name not in {*_SHARED, "prompt"}
        and value not in (None, "")
        and value is not False
        and (name, value) != ("best_of", 1)
    )


def _text_completion(chat: Mapping[str, Any]) -> dict[str, Any]:
    """A whole answer, or one chunk of one."""
    choices = [
        {
            "index": choice["index"],
            "text": (choice.get("message") or choice.get("delta") or {}).get("content") or "",
            "logprobs": None,
            "finish_reason": choice["finish_reason"],
        }
        for choice in chat["choices"]
    ]
    shared = ("id", "created", "model", "system_fingerprint", "usage")
    told = {name: chat[name] for name in shared if name in chat}
    return {**told, "object": "text_completion", "choices": choices}


_: type[DialectFront] = Completions
