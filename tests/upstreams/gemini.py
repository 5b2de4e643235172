"""As https://ai.google.dev/api/generate-content describes it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from langroute.domain.providers import ProviderKind

from .conversation import counted, said, told_usage
from .double import UpstreamDouble
from .gemini_embeddings import embedding_faults, embeddings
from .gemini_rules import faults
from .seen import Seen
from .turn import Turn

_HEAD = {"responseId": "response-double", "modelVersion": "gemini-double"}
_FINISHED = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS"}
_STATUSES = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


class GeminiUpstream(UpstreamDouble):
    """Google: refuses unknown fields, and calls without a signature; tells usage in every event,
    and ends a stream without a word."""

    kind: ClassVar[ProviderKind] = ProviderKind.GEMINI
    path: ClassVar[str] = "/v1beta/models/{target}"
    closing: ClassVar[bytes] = b""

    @property
    def base_url(self) -> str:
        return super().base_url.removesuffix("/v1") + "/v1beta"

    def borne(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-goog-api-key")

    def wants_stream(self, seen: Seen) -> bool:
        return seen.path.endswith(":streamGenerateContent")

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        found = embedding_faults(body) if "requests" in body else faults(body)
        fault = next(found, None)
        return None if fault is None else (400, _error(400, fault))

    def unauthenticated(self) -> Mapping[str, Any]:
        """With 400, not 401; the double's base says 401, which changes nothing."""
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        details = [{"@type": kind, "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
        return _error(400, "API key not valid. Please pass a valid API key.", details)

    def refusal(self, status: int, error: Mapping[str, Any]) -> Mapping[str, Any]:
        return _error(status, str(error["message"]))

    def error_event(self) -> Mapping[str, Any]:
        return _error(503, "The model is overloaded. Please try again later.")

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        if seen.path.endswith(":batchEmbedContents"):
            return embeddings(seen.body)
        one = said(as_openai(seen), turn)
        parts = [*_thoughts(turn), *([{"text": one.text}] if one.text else []), *_calls(turn)]
        return self._answer(seen, turn, parts, _FINISHED.get(one.finish_reason, one.finish_reason))

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        one = said(as_openai(seen), turn)
        parts = [*_thoughts(turn), *({"text": word} for word in one.words), *_calls(turn)]
        events = [self._answer(seen, turn, [part], None) for part in parts]
        reason = _FINISHED.get(one.finish_reason, one.finish_reason)
        return [*events, self._answer(seen, turn, [{"text": ""}], reason)]

    def _answer(
        self, seen: Seen, turn: Turn, parts: list[dict[str, Any]], reason: str | None
    ) -> dict[str, Any]:
        usage = seen.usage = told_usage(turn, _usage(seen, turn))
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        count = seen.body.get("generationConfig", {}).get("candidateCount") or 1
        finish = {} if reason is None else {"finishReason": reason}
        return {
            **_HEAD,
            "candidates": [{**candidate, **finish, "index": index} for index in range(count)],
        } | ({} if usage is None else {"usageMetadata": usage})


def as_openai(seen: Seen) -> Seen:
    """The same request in the words that conversations are counted in."""
    messages = [
        {
            "role": content["role"],
            "content": "".join(part.get("text", "") for part in content["parts"]),
        }
        for content in seen.body.get("contents", [])
    ]
    config = seen.body.get("generationConfig", {})
    body = {"messages": messages, "n": config.get("candidateCount")}
    cap = config.get("maxOutputTokens")
    return Seen(
        path=seen.path,
        headers=seen.headers,
        body=body if cap is None else {**body, "max_tokens": cap},
        connection=seen.connection,
    )


def _usage(seen: Seen, turn: Turn) -> dict[str, Any]:
    """Thoughts are counted apart from the answer."""
    asked = as_openai(seen)
    count = counted(asked, said(asked, turn))
    return {
        "promptTokenCount": count.prompt,
        "cachedContentTokenCount": count.cached,
        "candidatesTokenCount": count.completion - count.reasoning,
        "thoughtsTokenCount": count.reasoning,
        "totalTokenCount": count.prompt + count.completion,
    }


def _thoughts(turn: Turn) -> list[dict[str, Any]]:
    return [] if turn.reasoning is None else [{"text": turn.reasoning, "thought": True}]


def _calls(turn: Turn) -> list[dict[str, Any]]:
    """The calls that a test gives in OpenAI's words. The first is signed."""
    parts = []
    for place, call in enumerate(turn.tool_calls):
        function = call["function"]
        made = {"name": function["name"], "args": json.loads(function["arguments"])}
        if "id" in call:
            made["id"] = call["id"]
        signature = {} if place else {"thoughtSignature": "c2lnbmVk"}
        parts.append({"functionCall": made, **signature})
    return parts


def _error(
    status: int, message: str, details: Sequence[Mapping[str, Any]] = ()
) -> Mapping[str, Any]:
    error = {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}
    return {"error": {**error, "details": list(details)} if details else error}
