"""OpenAI's `functions`, `function_call` and role `function`, which came before there were tools:
whoever sends them reads the answer there, too.

https://platform.openai.com/docs/api-reference/chat/create#chat-create-functions
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...application.ports.upstream import UpstreamCall
from ...domain.chat import ChatRequest
from ...domain.operations import OperationRequest
from .codec import ChunkDecoder, Codec, Complaint, EncodedChat, EncodedOperation

Json = Mapping[str, Any]

_FUNCTION, _TOOL = "function", "tool"
_ONE_AT_A_TIME = "parallel_tool_calls"
# Signatures of Gemini's, which stand on a call: they are kept wherever the call goes.
_KEPT = "extra_content"


class WithFunctions:
    """A codec that only has to know tools, for callers that may still know functions."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.default_url = codec.default_url

    def headers(self, credential: str) -> Mapping[str, str]:
        return self._codec.headers(credential)

    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
        body = call.request.body
        if _is_modern(body):
            return self._codec.encode(call, stream=stream)
        request = replace(call.request, body=with_tools(body))
        sent = self._codec.encode(replace(call, request=request), stream=stream)
        return replace(
            sent,
            # Nobody wrote that: it only says what functions mean.
            dropped=tuple(n for n in sent.dropped if n != _ONE_AT_A_TIME or n in body),
            calls_functions=bool(body.get("functions")) and not body.get("tools"),
        )

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
        answer = self._codec.reply(body, sent)
        return with_function_call(answer) if sent.calls_functions else answer

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:
        decode = self._codec.decoder(sent)
        if not sent.calls_functions:
            return decode

        def decode_functions(body: dict[str, Any], name: bytes) -> Sequence[dict[str, Any]] | None:
            chunks = decode(body, name)
            return None if chunks is None else [with_function_call(chunk) for chunk in chunks]

        return decode_functions

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        return self._codec.operation(call)

    def complaint(self, body: Json) -> Complaint:
        return self._codec.complaint(body)


def with_tools(body: Json) -> dict[str, Any]:
    """A request that says the same in terms of tools. Only one function is called at a time."""
    modern = {name: body[name] for name in body if name not in ("functions", "function_call")}
    functions = body.get("functions")
    if isinstance(functions, list) and functions:
        tools = [{"type": _FUNCTION, "function": function} for function in functions]
        own = body.get("tools")
        modern["tools"] = [*own, *tools] if isinstance(own, list) else tools
        modern.setdefault(_ONE_AT_A_TIME, False)
    choice = body.get("function_call")
    if choice is not None and modern.get("tool_choice") is None:
        is_named = isinstance(choice, dict)
        modern["tool_choice"] = {"type": _FUNCTION, "function": choice} if is_named else choice
    modern["messages"] = list(_modern_messages(body["messages"]))
    return modern


def with_function_call(body: dict[str, Any]) -> dict[str, Any]:
    """An answer or a chunk, in place. There is room for one call only: the first."""
    for choice in body["choices"]:
        said = choice.get("message") or choice.get("delta") or {}
        calls = said.pop("tool_calls", None)
        if calls and calls[0].get("index", 0) == 0:
            kept = {_KEPT: calls[0][_KEPT]} if _KEPT in calls[0] else {}
            said["function_call"] = {**(calls[0].get("function") or {}), **kept}
        if choice.get("finish_reason") == "tool_calls":
            choice["finish_reason"] = "function_call"
    return body


def _is_modern(body: Json) -> bool:
    if body.get("functions") is not None or body.get("function_call") is not None:
        return False
    return not any(m.get("function_call") or m.get("role") == _FUNCTION for m in body["messages"])


def _modern_messages(messages: Sequence[Json]) -> Iterator[Json]:
    """A call has no id there: the next message of the role `function` answers it."""
    made = 0
    for message in messages:
        if message.get("role") == _FUNCTION:
            yield {**message, "role": _TOOL, "tool_call_id": _call_id(made)}
            continue
        function = message.get("function_call")
        if not isinstance(function, dict):
            yield message
            continue
        made += 1
        told = {name: function[name] for name in function if name != _KEPT}
        call = {"id": _call_id(made), "type": _FUNCTION, "function": told}
        if _KEPT in function:
            call[_KEPT] = function[_KEPT]
        before = message.get("tool_calls")
        calls = [*before, call] if isinstance(before, list) else [call]
        yield {n: message[n] for n in message if n != "function_call"} | {"tool_calls": calls}


def _call_id(number: int) -> str:
    return f"function_call_{number}"


_: type[Codec] = WithFunctions
