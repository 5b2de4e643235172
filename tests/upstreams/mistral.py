"""As https://docs.mistral.ai/api/#tag/chat describes it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from langroute.domain.providers import ProviderKind

from .conversation import Said, counted, said, told_usage
from .double import UpstreamDouble
from .mistral_operations import MistralOperations
from .mistral_rules import order_fault, schema_faults
from .seen import Seen
from .turn import Turn

_HEAD = {"id": "cmpl-double", "created": 1_780_000_000}


class MistralUpstream(MistralOperations, UpstreamDouble):
    """Mistral: refuses what it does not know with 422, and insists on the order of roles. Usage
    comes on a stream's last chunk without asking."""

    kind: ClassVar[ProviderKind] = ProviderKind.MISTRAL

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        if faults := schema_faults(body):
            return 422, {"detail": faults}
        if (fault := order_fault(body["messages"])) is not None:
            kind = "invalid_request_message_order"
            return 400, {**_error(fault), "type": kind, "code": "3230"}
        return None

    def unauthenticated(self) -> Mapping[str, Any]:
        return {"message": "Unauthorized", "request_id": "double"}

    def refusal(self, status: int, error: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"object": "error", "type": f"double_{status}", **error}

    def error_event(self) -> Mapping[str, Any]:
        return _error("Service unavailable.")

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        one = said(seen, turn)
        usage = seen.usage = told_usage(turn, _usage(seen, one))
        message: dict[str, Any] = {"role": "assistant", "content": one.text, "tool_calls": None}
        if turn.reasoning is not None:
            message["content"] = [_thinking(turn.reasoning), {"type": "text", "text": one.text}]
        if turn.tool_calls:
            message["tool_calls"] = list(turn.tool_calls)
        choice = {"message": message, "finish_reason": one.finish_reason}
        return {
            **_HEAD,
            "object": "chat.completion",
            "model": seen.body["model"],
            "choices": [{"index": index, **choice} for index in range(seen.body.get("n") or 1)],
        } | ({} if usage is None else {"usage": usage})

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        one = said(seen, turn)
        usage = seen.usage = told_usage(turn, _usage(seen, one))
        head = {**_HEAD, "object": "chat.completion.chunk", "model": seen.body["model"]}
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        if turn.reasoning is not None:
            deltas.append({"content": [_thinking(turn.reasoning)]})
        deltas += [{"content": word} for word in one.words]
        parts: list[dict[str, Any]] = [{"delta": d, "finish_reason": None} for d in deltas]
        last: dict[str, Any] = {"content": ""}
        if turn.tool_calls:
            calls = [{"index": index, **call} for index, call in enumerate(turn.tool_calls)]
            last["tool_calls"] = calls
        parts.append({"delta": last, "finish_reason": one.finish_reason})
        events: list[dict[str, Any]] = [
            {**head, "choices": [{"index": index, **part}]}
            for part in parts
            for index in range(seen.body.get("n") or 1)
        ]
        if usage is not None:
            events[-1]["usage"] = usage
        return events


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}], "closed": True}


def _usage(seen: Seen, one: Said) -> dict[str, Any]:
    count = counted(seen, one)
    return {
        "prompt_tokens": count.prompt,
        "completion_tokens": count.completion,
        "total_tokens": count.prompt + count.completion,
        "prompt_token_details": {"cached_tokens": count.cached},
        "num_cached_tokens": count.cached,
    }


def _error(message: str) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": "error", "param": None, "code": None}
