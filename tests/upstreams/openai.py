"""As https://platform.openai.com/docs/api-reference/chat describes it."""

from collections.abc import Mapping, Sequence
from typing import Any

from .conversation import Said, counted, said, told_usage
from .double import UpstreamDouble
from .openai_operations import OpenAIOperations
from .seen import Seen
from .turn import Turn

_HEAD = {"id": "chatcmpl-double", "created": 1_780_000_000, "system_fingerprint": "fp_double"}


class OpenAIUpstream(OpenAIOperations, UpstreamDouble):
    """OpenAI: lenient about fields, and silent about a stream's usage unless it is asked."""

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        if isinstance(body.get("messages"), list) and isinstance(body.get("model"), str):
            return None
        return 400, _error("You must provide a model and messages.", param="messages")

    def unauthenticated(self) -> Mapping[str, Any]:
        return _error("Incorrect API key provided.", code="invalid_api_key")

    def refusal(self, status: int, error: Mapping[str, Any]) -> Mapping[str, Any]:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return {"error": {"type": kind, **error}}

    def error_event(self) -> Mapping[str, Any]:
        return _error("The server had an error while processing your request.", kind="server_error")

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        one = said(seen, turn)
        usage = seen.usage = told_usage(turn, _usage(seen, one))
        message: dict[str, Any] = {"role": "assistant", "content": one.text, "refusal": None}
        if turn.reasoning is not None:
            message["reasoning_content"] = turn.reasoning
        if turn.tool_calls:
            message |= {"content": None, "tool_calls": list(turn.tool_calls)}
        choice = {"message": message, "logprobs": None, "finish_reason": one.finish_reason}
        return {
            **_HEAD,
            "object": "chat.completion",
            "model": seen.body["model"],
            "choices": [{"index": index, **choice} for index in range(seen.body.get("n") or 1)],
            **_service(seen),
        } | ({} if usage is None else {"usage": usage})

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        one = said(seen, turn)
        usage = seen.usage = told_usage(turn, _usage(seen, one))
        asked = bool((seen.body.get("stream_options") or {}).get("include_usage"))
        head = {**_HEAD, "object": "chat.completion.chunk", "model": seen.body["model"]}
        head |= _service(seen)
        chunk = {**head, "usage": None} if asked else head
        events = [
            {**chunk, "choices": [{"index": index, "logprobs": None, **part}]}
            for part in _parts(one, turn)
            for index in range(seen.body.get("n") or 1)
        ]
        if asked and usage is not None:
            events.append({**head, "choices": [], "usage": usage})
        return events


def _service(seen: Seen) -> dict[str, Any]:
    """The one that was used, where one was asked for."""
    asked = seen.body.get("service_tier")
    return {} if asked is None else {"service_tier": "default" if asked == "auto" else asked}


def _parts(one: Said, turn: Turn) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    if turn.reasoning is not None:
        deltas.append({"reasoning_content": turn.reasoning})
    deltas += [{"content": word} for word in one.words]
    deltas += [
        {"tool_calls": [{"index": index, **piece}]}
        for index, call in enumerate(turn.tool_calls)
        for piece in _pieces(call)
    ]
    parts = [{"delta": delta, "finish_reason": None} for delta in deltas]
    return [*parts, {"delta": {}, "finish_reason": one.finish_reason}]


def _pieces(call: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its name first, then its arguments bit by bit."""
    if "function" not in call:
        return [call]
    function = call["function"]
    text, half = function["arguments"], len(function["arguments"]) // 2
    told = [{"function": {"arguments": piece}} for piece in (text[:half], text[half:])]
    return [{**call, "function": {**function, "arguments": ""}}, *told]


def _usage(seen: Seen, one: Said) -> dict[str, Any]:
    count = counted(seen, one)
    return {
        "prompt_tokens": count.prompt,
        "completion_tokens": count.completion,
        "total_tokens": count.prompt + count.completion,
        "prompt_tokens_details": {"cached_tokens": count.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": count.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _error(
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Mapping[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
