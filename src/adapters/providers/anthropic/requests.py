"""https://platform.claude.com/docs/en/api/messages: a field that is not in the schema is refused,
and a call without `max_tokens`, too."""

from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.dialects import Dialect
from ...wire.budgets import within
from ...wire.codec import EncodedChat
from .messages import Conversation
from .models import Traits, traits
from .own_words import PATH, as_it_came
from .sampling import sampling
from .schemas import strict_schema
from .thinking import Asked, Thoughts, thoughts
from .tools import ToolBox

# OpenAI's fields without a counterpart. All others are left to Anthropic, so that a field of theirs
# works on the day it appears, and a misspelt one is refused by its name.
_UNKNOWN = frozenset(
    {
        *("audio", "frequency_penalty", "logit_bias", "logprobs", "modalities", "moderation"),
        *("prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options"),
        *("prompt_cache_retention", "seed", "store", "top_logprobs", "verbosity"),
        "web_search_options",
    }
)
_TRANSLATED = frozenset(
    {
        *("model", "messages", "max_tokens", "max_completion_tokens", "stream", "n"),
        *("stop", "temperature", "top_p", "top_k", "tools", "tool_choice"),
        *("parallel_tool_calls", "user", "safety_identifier", "metadata"),
        *("reasoning_effort", "thinking", "response_format", "output_config"),
        *("stream_options", "service_tier"),
    }
)
_SERVICE_TIERS = frozenset({"auto", "standard_only"})


def encoded(call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
    native = call.request.native
    if native is not None and native.dialect is Dialect.MESSAGES:
        return as_it_came(call, native, stream=stream)
    given, model = call.request.body, traits(call.model)
    conversation = Conversation.of(given)
    if not model.prefills:
        conversation.close()
    dropped = dict(conversation.dropped)
    body: dict[str, Any] = {"model": call.model, "messages": conversation.messages}
    if conversation.system:
        body["system"] = conversation.system
    for name, value in given.items():
        if value is None or name in _TRANSLATED:
            continue
        if name in _UNKNOWN:
            dropped[name] = None
        else:
            body[name] = value
    tools = ToolBox(given, conversation.tools, model)
    dropped.update(tools.dropped)
    _add_tools(body, tools)
    may_budget = not (tools.is_forced or conversation.resumes_without_thinking)
    _add_thoughts(call, body, dropped, model, may_budget=may_budget)
    dropped.update(_rest(given, body))
    if stream:
        body["stream"] = True
    return EncodedChat(path=PATH, body=body, dropped=tuple(dropped))


def _add_tools(body: dict[str, Any], tools: ToolBox) -> None:
    if tools.tools:
        body["tools"] = tools.tools
    if tools.choice is not None:
        body["tool_choice"] = tools.choice


def _add_thoughts(
    call: UpstreamCall[ChatRequest],
    body: dict[str, Any],
    dropped: dict[str, None],
    model: Traits,
    *,
    may_budget: bool,
) -> None:
    given = call.request.body
    own, thinking = _own_cap(given), given.get("thinking")
    cap = own
    if call.output_cap is not None and (own is None or call.output_cap < own):
        cap = call.output_cap
        thinking, lost = within(thinking, cap)
        dropped.update(dict.fromkeys(lost))
    asked = Asked(
        effort=given.get("reasoning_effort"), own=thinking, cap=cap, may_budget=may_budget
    )
    wanted = thoughts(asked, model)
    body["max_tokens"] = wanted.max_tokens
    if wanted.thinking is not None:
        body["thinking"] = wanted.thinking
    elif asked.own is not None:
        body["thinking"] = asked.own
    if not wanted.is_kept:
        dropped["reasoning_effort"] = None
    _add_output_config(given, body, dropped, wanted, model)
    kept, unkept = sampling(given, samples=model.samples, thinks=wanted.is_on)
    body.update(kept)
    dropped.update(dict.fromkeys(unkept))


def _own_cap(given: Mapping[str, Any]) -> int | None:
    caps = (given.get("max_tokens"), given.get("max_completion_tokens"))
    return min((cap for cap in caps if cap is not None), default=None)


def _add_output_config(
    given: Mapping[str, Any],
    body: dict[str, Any],
    dropped: dict[str, None],
    wanted: Thoughts,
    model: Traits,
) -> None:
    config: dict[str, Any] = {} if wanted.effort is None else {"effort": wanted.effort}
    match given.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}} if (
            model.knows_schemas
        ):
            config["format"] = {"type": "json_schema", "schema": strict_schema(schema)}
        case None | {"type": "text"}:
            pass
        case _:  # they have no JSON without a schema
            dropped["response_format"] = None
    own = given.get("output_config")
    if own is not None and not isinstance(own, dict):
        body["output_config"] = own
    elif merged := {**config, **(own or {})}:
        body["output_config"] = merged


def _rest(given: Mapping[str, Any], body: dict[str, Any]) -> dict[str, None]:
    """Adds what is left to translate; gives the names of what cannot be."""
    dropped: dict[str, None] = {}
    stop = given.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    # One of white space only is refused.
    taken = [text for text in stops if isinstance(text, str) and text.strip()]
    if taken:
        body["stop_sequences"] = taken
    if len(taken) < len(stops):
        dropped["stop"] = None
    if (given.get("n") or 1) > 1:
        dropped["n"] = None
    if set(given.get("stream_options") or ()) - {"include_usage"}:
        dropped["stream_options"] = None
    tier = given.get("service_tier")
    if isinstance(tier, str) and tier in _SERVICE_TIERS:
        body["service_tier"] = tier
    elif tier is not None:
        dropped["service_tier"] = None
    dropped.update(_add_metadata(given, body))
    return dropped


def _add_metadata(given: Mapping[str, Any], body: dict[str, Any]) -> dict[str, None]:
    """Anthropic's metadata is who the user is, under whichever of OpenAI's names that is told."""
    dropped: dict[str, None] = {}
    metadata = given.get("metadata") or {}
    users = {
        "metadata": metadata.get("user_id"),
        "user": given.get("user"),
        "safety_identifier": given.get("safety_identifier"),
    }
    told = [name for name, user in users.items() if isinstance(user, str) and user]
    if told:
        body["metadata"] = {"user_id": users[told[0]]}
    if metadata.keys() - {"user_id"}:
        dropped["metadata"] = None
    for name, user in users.items():
        if user is not None and name not in told[:1]:
            dropped[name] = None
    return dropped
