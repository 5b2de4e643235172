"""https://ai.google.dev/api/generate-content#generatecontentresponse"""

from collections.abc import Iterator
from typing import Any

from ...wire.malformed import Malformed
from .finish import blocked, finish_reason
from .logprobs import logprobs
from .said import said
from .usage import searches, service_tier, usage, with_searches

# Of a candidate, what OpenAI's format has no place for.
_OWN = ("groundingMetadata", "citationMetadata", "urlContextMetadata", "safetyRatings")


def reply(body: dict[str, Any]) -> dict[str, Any]:
    """Raises Malformed where nobody has answered."""
    answer: dict[str, Any] = {**head(body), "object": "chat.completion"}
    if (why := blocked(body)) is not None:
        message = {"role": "assistant", "content": None, "refusal": why}
        choice = {"index": 0, "message": message, "logprobs": None}
        answer["choices"] = [{**choice, "finish_reason": "content_filter"}]
    else:
        answer["choices"] = [_choice(index, one) for index, one in candidates(body)]
        if not answer["choices"]:
            raise Malformed("it has no candidates")
    if (told := usage(body.get("usageMetadata"))) is not None:
        answer["usage"] = with_searches(told, searches(body))
    return answer


def head(body: dict[str, Any]) -> dict[str, Any]:
    told = {
        "id": body.get("responseId"),
        "model": body.get("modelVersion"),
        "service_tier": service_tier(body.get("usageMetadata")),
    }
    return {name: value for name, value in told.items() if isinstance(value, str) and value}


def candidates(body: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each with its index, which is left out where there is one only. Raises Malformed."""
    told = body.get("candidates")
    if told is not None and not isinstance(told, list):
        raise Malformed("its candidates are not a list")
    for place, candidate in enumerate(told or ()):
        if not isinstance(candidate, dict):
            raise Malformed("a candidate is not an object")
        index = candidate.get("index")
        yield (index if type(index) is int else place), candidate


def own_of(candidate: dict[str, Any]) -> dict[str, Any]:
    """What Google alone tells of a candidate, beside where its own endpoint puts such things."""
    own = {name: candidate[name] for name in _OWN if candidate.get(name)}
    return {"extra_content": {"google": own}} if own else {}


def _choice(index: int, candidate: dict[str, Any]) -> dict[str, Any]:
    heard = said(candidate.get("content"))
    text = "".join(heard.text)
    is_silent = not text and (heard.calls or heard.images or heard.audio)
    message = {"role": "assistant", "content": None if is_silent else text, "refusal": None}
    return {
        "index": index,
        "message": message | heard.shown(),
        "logprobs": logprobs(candidate.get("logprobsResult")),
        "finish_reason": finish_reason(candidate, has_calls=bool(heard.calls)) or "stop",
        **own_of(candidate),
    }
