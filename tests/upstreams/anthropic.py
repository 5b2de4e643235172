"""As https://platform.claude.com/docs/en/api/messages describes it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import orjson

from langroute.domain.providers import ProviderKind

from .anthropic_rules import fault
from .conversation import Count, Said, counted, said, told_usage
from .double import UpstreamDouble
from .seen import Seen
from .turn import Turn

_ID = "msg_double"
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class AnthropicUpstream(UpstreamDouble):
    """Anthropic: refuses what it does not know, a call without a cap, and results that answer
    nothing. The events of its streams are named; the input's usage is told first, the output's
    last."""

    kind: ClassVar[ProviderKind] = ProviderKind.ANTHROPIC
    path: ClassVar[str] = "/v1/messages"
    closing: ClassVar[bytes] = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'

    def borne(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-api-key")

    def written(self, event: Mapping[str, Any]) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event))

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        if "thread" in body:  # as who keeps none says it: see the package's _thread_state.py
            refused = self.refusal(400, {"message": "thread: not supported for this request"})
            details = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
            return 400, {**refused, "error": {**refused["error"], "details": details}}
        if (said := fault(body)) is None:
            return None
        return 400, self.refusal(400, {"message": said})

    def unauthenticated(self) -> Mapping[str, Any]:
        return self.refusal(401, {"message": "invalid x-api-key"})

    def refusal(self, status: int, error: Mapping[str, Any]) -> Mapping[str, Any]:
        kind = error.get("code") or _KINDS.get(status, "api_error")
        told = {"type": kind, "message": error["message"]}
        return {"type": "error", "error": told, "request_id": "req_double"}

    def error_event(self) -> Mapping[str, Any]:
        return self.refusal(529, {"message": "Overloaded"})

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        one = said(seen, turn)
        usage = seen.usage = told_usage(turn, _usage(counted(seen, one)))
        return {
            **_message(seen, list(_blocks(one, turn))),
            "stop_reason": _STOP_REASONS.get(one.finish_reason, one.finish_reason),
        } | ({} if usage is None else {"usage": usage})

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        one = said(seen, turn)
        usage = seen.usage = told_usage(turn, _usage(counted(seen, one)))
        start = _message(seen, []) | {"stop_reason": None}
        end: dict[str, Any] = {
            "stop_reason": _STOP_REASONS.get(one.finish_reason, one.finish_reason),
            "stop_sequence": None,
        }
        last: dict[str, Any] = {"type": "message_delta", "delta": end}
        if usage is not None:
            start["usage"] = {**usage, "output_tokens": 1}
            last["usage"] = {"output_tokens": usage["output_tokens"]}
        blocks = _blocks(one, turn)
        return [
            {"type": "message_start", "message": start},
            {"type": "ping"},
            *(event for index, block in enumerate(blocks) for event in _told(index, block, one)),
            last,
        ]


def _message(seen: Seen, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": _ID,
        "type": "message",
        "role": "assistant",
        "model": seen.body["model"],
        "content": content,
        "stop_sequence": None,
    }


def _blocks(one: Said, turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.reasoning is not None:
        yield {"type": "thinking", "thinking": turn.reasoning, "signature": "c2lnbmVk"}
    if one.text:
        yield {"type": "text", "text": one.text}
    for call in turn.tool_calls:
        function = call["function"]
        told = {"id": call["id"], "name": function["name"]}
        yield {"type": "tool_use", **told, "input": orjson.loads(function["arguments"])}


def _told(index: int, block: Mapping[str, Any], one: Said) -> Iterator[dict[str, Any]]:
    """One block, piece by piece."""
    deltas: list[dict[str, Any]]
    match block["type"]:
        case "text":
            empty = {**block, "text": ""}
            deltas = [{"type": "text_delta", "text": word} for word in one.words]
        case "thinking":
            empty = {**block, "thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case _:
            empty = {**block, "input": {}}
            raw = orjson.dumps(block["input"]).decode()
            pieces = ["", raw[: len(raw) // 2], raw[len(raw) // 2 :]]
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _usage(count: Count) -> dict[str, Any]:
    """What came from the cache is not part of the input here."""
    return {
        "input_tokens": count.prompt - count.cached,
        "cache_read_input_tokens": count.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": count.completion,
        "output_tokens_details": {"thinking_tokens": count.reasoning},
    }
