"""https://ai.google.dev/api/generate-content: a field that is not in the format is refused."""

from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ...wire.codec import EncodedChat
from .contents import Conversation
from .generation import OWN, TRANSLATED, Generation
from .names import camel, camel_keys
from .paths import model_path
from .tools import Tools

# OpenAI's fields without a counterpart. All others are left to Google, so that a field of theirs
# works on the day it appears, and a misspelt one is refused by its name.
_UNKNOWN = frozenset(
    {"logit_bias", "metadata", "moderation", "parallel_tool_calls", "prediction", "store", "user"}
    | {"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier"}
    | {"verbosity"}
)
_ELSEWHERE = frozenset(
    {*TRANSLATED, "model", "messages", "stream", "stream_options", "service_tier", "extra_body"}
    | {"tools", "tool_choice", "web_search_options"}
)
# What the gateway counts and translates may not be set again behind its back.
_CLOSED = frozenset({"contents", "systemInstruction", "serviceTier"})
# https://ai.google.dev/gemini-api/docs/service-tier
_TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}


def encoded(call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
    given = call.request.body
    conversation = Conversation(call.model)
    body = conversation.encode(given["messages"])
    own, dropped = _own_fields(given)
    config = own.pop("generationConfig")
    tools = Tools(given, call.model)
    body |= tools.encode(camel_keys(own.pop("toolConfig", None)))
    generation = Generation(given, config, call.model)
    if config := generation.encode(call.output_cap):
        body["generationConfig"] = config
    body |= own
    for more in (conversation, tools, generation):
        dropped |= more.dropped
    path = model_path(call.model, "generateContent")
    if stream:
        path = f"{model_path(call.model, 'streamGenerateContent')}?alt=sse"
    return EncodedChat(path=path, body=body, dropped=tuple(dropped))


def _own_fields(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, None]]:
    """What the caller says in Google's own words, in one spelling, and what is dropped. Those of
    `extra_body` are where Google's own OpenAI-compatible endpoint looks for them:
    https://ai.google.dev/gemini-api/docs/openai#extra-body"""
    dropped = _dropped(given)
    extra = given.get("extra_body")
    google = extra.get("google") if isinstance(extra, dict) else None
    if extra is not None and not isinstance(google, dict):
        dropped["extra_body"] = None
    told = {name: value for name, value in given.items() if name not in _ELSEWHERE | _UNKNOWN}
    own = {**camel_keys(told), **camel_keys(google)}
    config = camel_keys(own.pop("generationConfig", None))
    config |= {name: own.pop(name) for name in OWN if name in own}
    for name in _CLOSED | {camel(name) for name in _UNKNOWN | {"model", "tools", "messages"}}:
        if own.pop(name, None) is not None:
            dropped[name] = None
    if (tier := given.get("service_tier")) is not None and str(tier) in _TIERS:
        own["serviceTier"] = _TIERS[str(tier)]
    return {**own, "generationConfig": config}, dropped


def _dropped(given: Mapping[str, Any]) -> dict[str, None]:
    dropped = {
        name: None for name, value in given.items() if name in _UNKNOWN and value is not None
    }
    if str(given.get("service_tier") or "auto") not in _TIERS.keys() | {"auto"}:
        dropped["service_tier"] = None
    # Usage needs no asking for: every event tells it.
    if set(given.get("stream_options") or ()) - {"include_usage"}:
        dropped["stream_options"] = None
    return dropped
