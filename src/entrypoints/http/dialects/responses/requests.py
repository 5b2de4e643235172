"""A request for a response, as a chat.

https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Mapping
from typing import Any

from .....domain.errors import InvalidRequest
from .....domain.fields import given, required, whole_number, wrong_type
from .items import Conversation
from .tools import chat_tools, chosen
from .untranslated import Untranslated

_MAX_CAP = 10**9
# What OpenAI keeps: a translation would have to know it all.
_STATE = ("previous_response_id", "conversation", "prompt")
_TRANSLATED = frozenset(
    {"model", "input", "instructions", "stream", "stream_options", "max_output_tokens"}
    | {"text", "reasoning", "tools", "tool_choice", "parallel_tool_calls"}
    | {"include", "top_logprobs", "truncation", "background", *_STATE}
)
_NO_COUNTERPART = frozenset({"context_management", "access_programs", "image"})
# Of what is refused where it would matter: tools that OpenAI runs, and answers nobody waits for.
_MEANINGLESS = frozenset({"max_tool_calls", "background_options"})
# A chat's fields that here are called otherwise, or do not exist: they would say it twice.
_ONLY_CHATS = frozenset(
    {"messages", "n", "max_tokens", "max_completion_tokens", "response_format", "verbosity"}
    | {"reasoning_effort", "logprobs", "functions", "function_call", "modalities", "audio"}
)
_LOGPROBS = "message.output_text.logprobs"
# Beside that, what there is without being asked for.
_INCLUDED = (_LOGPROBS, "reasoning.encrypted_content")
# Never sent: where nothing else was said, the rest of the conversation is at OpenAI.
_NOTHING_SAID = {"role": "user", "content": ""}


def translated(body: Mapping[str, Any]) -> tuple[dict[str, Any], Untranslated]:
    """The chat, and what it is lacking. Raises InvalidRequest, naming the field."""
    lost = Untranslated()
    chat: dict[str, Any] = {}
    for name, value in body.items():
        if value is None or name in _TRANSLATED or name in _MEANINGLESS:
            continue
        if name in _NO_COUNTERPART or name in _ONLY_CHATS:
            lost.drop(name)
        else:
            chat[name] = value
    if "model" in body:
        chat["model"] = body["model"]
    _note_state(body, lost)
    chat["messages"] = _messages(body, lost)
    _add_tools(body, chat, lost)
    _add_text(body, chat, lost)
    _add_reasoning(body, chat, lost)
    _add_logprobs(body, chat, lost)
    if (cap := whole_number(body, "max_output_tokens", 1, _MAX_CAP)) is not None:
        chat["max_completion_tokens"] = cap
    if body.get("stream") is not None:
        chat["stream"] = body["stream"]
    if given(body, "stream_options", dict) and not body.get("stream"):
        chat["stream_options"] = body["stream_options"]  # refused, as there is nothing to stream
    elif body.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    return chat, lost


def _note_state(body: Mapping[str, Any], lost: Untranslated) -> None:
    given(body, "previous_response_id", str)
    given(body, "prompt", dict)
    if not isinstance(body.get("conversation"), str | dict | None):
        raise wrong_type("conversation", "a string or an object")
    if given(body, "background", bool):
        # Nobody could come back for the answer, and what it will have cost is not known by then.
        raise InvalidRequest(
            "'background' is not supported: LangRoute keeps no responses.", param="background"
        )
    for name in _STATE:
        if body.get(name):
            lost.needs_native(name)
    if (given(body, "truncation", str) or "disabled") != "disabled":
        lost.drop("truncation")


def _messages(body: Mapping[str, Any], lost: Untranslated) -> list[dict[str, Any]]:
    conversation = Conversation(lost)
    if instructions := given(body, "instructions", str):
        conversation.messages.append({"role": "system", "content": instructions})
    match body.get("input"):
        case str(said):
            conversation.messages.append({"role": "user", "content": said})
        case list(items):
            for index, item in enumerate(items):
                conversation.add(item, f"input.{index}")
            conversation.end_turn()
        case None if lost.only_native is None:
            required(body, "input", str)
        case None:
            pass
        case _:
            raise wrong_type("input", "a string or an array of items")
    if not conversation.messages:
        if lost.only_native is None:
            raise wrong_type("input", "a string or at least one item")
        return [_NOTHING_SAID]
    return conversation.messages


def _add_tools(body: Mapping[str, Any], chat: dict[str, Any], lost: Untranslated) -> None:
    offered = chat_tools(given(body, "tools", list) or [], lost)
    choice, tools = chosen(body.get("tool_choice"), offered, lost)
    parallel = given(body, "parallel_tool_calls", bool)
    if tools:
        chat["tools"] = tools
    # Where there is nothing to call, a chat must not say how to; here it may.
    if choice is not None and (tools or choice not in ("auto", "none")):
        chat["tool_choice"] = choice
    if parallel is not None and tools:
        chat["parallel_tool_calls"] = parallel


def _add_text(body: Mapping[str, Any], chat: dict[str, Any], lost: Untranslated) -> None:
    config = given(body, "text", dict) or {}
    if (verbosity := given(config, "verbosity", str, "text")) is not None:
        chat["verbosity"] = verbosity
    shape = given(config, "format", dict, "text")
    if shape is None:
        return
    match required(shape, "type", str, "text.format"):
        case "text":
            pass
        case "json_object":
            chat["response_format"] = {"type": "json_object"}
        case "json_schema":
            required(shape, "name", str, "text.format")
            schema = {k: v for k, v in shape.items() if k != "type" and v is not None}
            chat["response_format"] = {"type": "json_schema", "json_schema": schema}
        case _:
            lost.needs_native("text.format.type")


def _add_reasoning(body: Mapping[str, Any], chat: dict[str, Any], lost: Untranslated) -> None:
    reasoning = given(body, "reasoning", dict) or {}
    if (effort := given(reasoning, "effort", str, "reasoning")) is not None:
        chat["reasoning_effort"] = effort
    # Thoughts that a provider tells are always passed on, so no summary has to be asked for.
    known = frozenset({"effort", "summary", "generate_summary"})
    lost.drop_all_but(known, reasoning, "reasoning")


def _add_logprobs(body: Mapping[str, Any], chat: dict[str, Any], lost: Untranslated) -> None:
    include = given(body, "include", list) or []
    top = whole_number(body, "top_logprobs", 0, 20)
    if top or _LOGPROBS in include:
        chat["logprobs"] = True
    if top:
        chat["top_logprobs"] = top
    for wanted in include:
        if wanted not in _INCLUDED:
            lost.drop(f"include.{wanted}" if isinstance(wanted, str) else "include")
