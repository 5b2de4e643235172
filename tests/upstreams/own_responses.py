"""As https://platform.openai.com/docs/api-reference/responses and /responses-streaming have it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson

from .conversation import said, told_usage
from .double import UpstreamDouble
from .seen import Seen
from .turn import Turn

_HEAD = {"id": "resp_double", "object": "response", "created_at": 1_780_000_000}
_USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 0},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 21,
}


class ResponsesUpstream(UpstreamDouble):
    """A server that speaks Responses itself. Its streams end with an event, not with `[DONE]`."""

    path: ClassVar[str] = "/v1/responses"
    closing: ClassVar[bytes] = b""

    def written(self, event: Mapping[str, Any]) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event))

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        if isinstance(body.get("model"), str) and "messages" not in body:
            return None
        return 400, self.refusal(400, {"message": "Unknown parameter.", "param": "messages"})

    def unauthenticated(self) -> Mapping[str, Any]:
        return self.refusal(401, {"message": "Incorrect API key provided."})

    def refusal(self, status: int, error: Mapping[str, Any]) -> Mapping[str, Any]:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return {"error": {"type": kind, "param": None, "code": None, **error}}

    def error_event(self) -> Mapping[str, Any]:
        error = {
            "type": "server_error",
            "code": "server_error",
            "message": "The server had an error.",
        }
        return {"type": "error", "sequence_number": 4, "error": {**error, "param": None}}

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        text = said(seen, turn).text
        seen.usage = told_usage(turn, _USAGE)
        return _response(seen, "completed", [_message("completed", text)], seen.usage)

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        one = said(seen, turn)
        seen.usage = told_usage(turn, _USAGE)
        begun = {"response": _response(seen, "in_progress", [], None)}
        place = {"item_id": "msg_double", "output_index": 0, "content_index": 0}
        part: dict[str, Any] = {"type": "output_text", "annotations": [], "logprobs": []}
        events: list[tuple[str, dict[str, Any]]] = [
            ("created", begun),
            ("in_progress", begun),
            ("output_item.added", {"output_index": 0, "item": _message("in_progress", None)}),
            ("content_part.added", {**place, "part": {**part, "text": ""}}),
            *(
                ("output_text.delta", {**place, "delta": word, "logprobs": [], "obfuscation": "x"})
                for word in one.words
            ),
            ("output_text.done", {**place, "text": one.text, "logprobs": []}),
            ("content_part.done", {**place, "part": {**part, "text": one.text}}),
            ("output_item.done", {"output_index": 0, "item": _message("completed", one.text)}),
            ("completed", {"response": self.reply(seen, turn)}),
        ]
        return [
            {"type": f"response.{kind}", "sequence_number": number, **fields}
            for number, (kind, fields) in enumerate(events)
        ]


def _response(
    seen: Seen, status: str, output: list[dict[str, Any]], usage: Mapping[str, Any] | None
) -> dict[str, Any]:
    asked = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}}
    ends = {"error": None, "incomplete_details": None, "output": output, "usage": usage}
    return {**_HEAD, "status": status, "model": seen.body["model"], **asked, **ends}


def _message(status: str, text: str | None) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    part["logprobs"] = []
    content = [] if text is None else [part]
    message = {"id": "msg_double", "type": "message", "role": "assistant"}
    return {**message, "status": status, "content": content}
