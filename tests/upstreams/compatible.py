"""Servers that speak OpenAI's format with words of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .openai import OpenAIUpstream
from .seen import Seen
from .turn import Turn

_ROLES = ("system", "user", "assistant", "tool")


class DeepSeekUpstream(OpenAIUpstream):
    """As https://api-docs.deepseek.com/api/create-chat-completion describes it: four roles, and the
    cache beside the prompt. It wants reasoning back after tool calls:
    https://api-docs.deepseek.com/guides/thinking_mode"""

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        for index, message in enumerate(body["messages"]):
            if (role := message.get("role")) not in _ROLES:
                known = ", ".join(f"`{name}`" for name in _ROLES)
                return 400, _invalid(
                    "Failed to deserialize the JSON body into the target type: "
                    f"messages[{index}].role: unknown variant `{role}`, expected one of {known}"
                )
            if message.get("tool_calls") and "reasoning_content" not in message:
                return 400, _invalid(
                    "The `reasoning_content` in the thinking mode must be passed back to the API."
                )
        return super().check(body)

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        return _with_cache_beside(super().reply(seen, turn))

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        return [_with_cache_beside(event) for event in super().events(seen, turn)]


class OllamaUpstream(OpenAIUpstream):
    """As https://github.com/ollama/ollama/blob/main/openai/openai.go has it: what is not in its
    ChatCompletionRequest is not read, and usage is three counts."""

    _READ = frozenset(
        {
            *("model", "messages", "stream", "stream_options", "max_tokens", "seed", "stop"),
            *("temperature", "frequency_penalty", "presence_penalty", "top_p", "response_format"),
            *("tools", "reasoning", "reasoning_effort", "logprobs", "top_logprobs"),
        }
    )

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        reply = super().reply(self._read(seen), turn)
        for choice in reply["choices"]:
            _rename_reasoning(choice["message"])
        return {**reply, "usage": _counts(reply["usage"])}

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        events = super().events(self._read(seen), turn)
        for event in events:
            for choice in event["choices"]:
                _rename_reasoning(choice["delta"])
        return [{**event, "usage": _counts(event.get("usage"))} for event in events]

    def _read(self, seen: Seen) -> Seen:
        read = {name: value for name, value in seen.body.items() if name in self._READ}
        return replace(seen, body=read)


def _invalid(message: str) -> Mapping[str, Any]:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": kind}}


def _with_cache_beside(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if (usage := body.get("usage")) is None:
        return body
    own = {name: value for name, value in usage.items() if name != "prompt_tokens_details"}
    hits = usage["prompt_tokens_details"]["cached_tokens"]
    misses = usage["prompt_tokens"] - hits
    beside = {"prompt_cache_hit_tokens": hits, "prompt_cache_miss_tokens": misses}
    return {**body, "usage": {**own, **beside}}


def _rename_reasoning(said: dict[str, Any]) -> None:
    if "reasoning_content" in said:
        said["reasoning"] = said.pop("reasoning_content")


def _counts(usage: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return usage and {name: usage[name] for name in names}
