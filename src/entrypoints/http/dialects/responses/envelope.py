from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .output_items import COMPLETED, INCOMPLETE

# Of https://platform.openai.com/docs/api-reference/responses/object, what an answer repeats of its
# request, with what holds where the request did not say. What is up to the provider is null.
_REPEATED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": None,
    "temperature": None,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """All of a response but what the model said. `name` is what its id and those of its items are
    made of: they have to be the same in every event of a stream."""

    name: str
    created_at: float
    model: str
    repeated: Mapping[str, Any]

    @classmethod
    def of(cls, asked: Mapping[str, Any], chat: Mapping[str, Any]) -> "Envelope":
        """`chat` is the whole answer, or the first chunk of one."""
        created, model, tier = chat.get("created"), chat.get("model"), chat.get("service_tier")
        repeated = _repeated(asked)
        if isinstance(tier, str):
            repeated["service_tier"] = tier
        return cls(
            name=str(chat.get("id")).removeprefix("chatcmpl-"),
            created_at=created if isinstance(created, int | float) else 0,
            model=model if isinstance(model, str) else str(asked.get("model")),
            repeated=repeated,
        )

    def item_id(self, kind: str, index: int) -> str:
        return f"{kind}_{self.name}_{index}"

    def response(
        self,
        status: str,
        output: list[dict[str, Any]],
        *,
        usage: Mapping[str, Any] | None = None,
        reason: str | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {
            "id": f"resp_{self.name}",
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "background": False,
            "error": error,
            "incomplete_details": None if reason is None else {"reason": reason},
            "model": self.model,
            "output": output,
            "previous_response_id": None,
            **self.repeated,
            # The gateway keeps nothing, and what a provider keeps of a chat is no response.
            "store": False,
            "usage": usage,
        }


def ending(finish_reason: object) -> tuple[str, str | None]:
    """The status, and why it is no better."""
    reason = _INCOMPLETE.get(finish_reason) if isinstance(finish_reason, str) else None
    return (COMPLETED, None) if reason is None else (INCOMPLETE, reason)


def _repeated(asked: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in asked.items() if value is not None}
    repeated = {name: told.get(name, default) for name, default in _REPEATED.items()}
    reasoning, text = told.get("reasoning") or {}, told.get("text") or {}
    repeated["reasoning"] = {"effort": None, "summary": None, **reasoning}
    repeated["text"] = {**text, "format": text.get("format") or {"type": "text"}}
    # A function that does not say so is not strict in a chat.
    defaults = {"description": None, "parameters": None, "strict": False}
    repeated["tools"] = [{**defaults, **tool} for tool in told.get("tools") or ()]
    return repeated
