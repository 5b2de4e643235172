"""https://docs.mistral.ai/api/#tag/chat: a field that is not in the schema is refused with 422."""

from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ...wire.codec import EncodedChat
from .content import joined_text
from .messages import Messages
from .tools import tools_of

# OpenAI's fields without a counterpart. All others are left to Mistral, so that a field of theirs
# works on the day it appears, and a misspelt one is refused by its name.
_UNKNOWN = frozenset(
    {
        "audio",
        "logit_bias",
        "modalities",
        "moderation",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "store",
        "user",
        "verbosity",
        "web_search_options",
    }
)
_SERVICE_TIERS = frozenset({"auto", "standard_only"})


def encoded(call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
    messages = Messages()
    body: dict[str, Any] = {"model": call.model, "messages": messages.encode(call.request.body)}
    dropped = dict.fromkeys(messages.dropped)
    for name, value in call.request.body.items():
        if value is None or name in body or name in _TRANSLATED:
            continue
        if name in _UNKNOWN or (name == "service_tier" and str(value) not in _SERVICE_TIERS):
            dropped[name] = None
        else:
            body[name] = value
    # Usage needs no asking for: the last chunk tells it.
    if set(call.request.body.get("stream_options") or ()) - {"include_usage"}:
        dropped["stream_options"] = None
    _translate(call.request.body, body)
    _cap(call, body)
    if stream:
        body["stream"] = True
    return EncodedChat(
        path="/chat/completions", body=body, dropped=tuple(dropped), own_ids=messages.ids.own
    )


_TRANSLATED = frozenset(
    {"max_tokens", "max_completion_tokens", "seed", "stream", "stream_options"}
    | {"tool_choice", "tools", "prediction"}
)


def _cap(call: UpstreamCall[ChatRequest], body: dict[str, Any]) -> None:
    caps = [
        call.output_cap,
        *(call.request.body.get(n) for n in ("max_tokens", "max_completion_tokens")),
    ]
    given = [cap for cap in caps if cap is not None]
    if given:
        body["max_tokens"] = min(given)


def _translate(given: Mapping[str, Any], body: dict[str, Any]) -> None:
    if (seed := given.get("seed")) is not None:
        body["random_seed"] = seed
    body.update(tools_of(given))
    if (prediction := given.get("prediction")) is not None:
        body["prediction"] = _prediction(prediction)


def _prediction(prediction: Any) -> Any:
    """With its content as one text."""
    if isinstance(prediction, dict) and isinstance(prediction.get("content"), list):
        return {**prediction, "content": joined_text(prediction["content"])}
    return prediction
