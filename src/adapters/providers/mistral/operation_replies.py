from typing import Any

from ....domain.operations import Operation, OperationRequest
from ...wire.malformed import Malformed


def translated_operation(body: dict[str, Any], request: OperationRequest) -> dict[str, Any]:
    """In place. Raises Malformed."""
    match request.operation:
        case Operation.MODERATIONS:
            _complete_moderations(body)
        case Operation.TRANSCRIPTIONS:
            _complete_transcription(body, request)
        case _:
            pass
    return body


def _complete_moderations(body: dict[str, Any]) -> None:
    """With `flagged`, which sums the categories up."""
    results = body.get("results")
    if not isinstance(results, list):
        raise Malformed("it has no results")
    for result in results:
        categories = result.get("categories") if isinstance(result, dict) else None
        if not isinstance(categories, dict):
            raise Malformed("a result has no categories")
        result.setdefault("flagged", any(applies is True for applies in categories.values()))


def _complete_transcription(body: dict[str, Any], request: OperationRequest) -> None:
    if not isinstance(body.get("text"), str):
        raise Malformed("it has no text")
    usage = body.get("usage")
    told = usage if isinstance(usage, dict) else {}
    if request.body.get("response_format") == "verbose_json":
        body["task"] = "transcribe"
        body["duration"] = told.get("prompt_audio_seconds") or 0
        segments = body.get("segments")
        body["segments"] = [
            {"id": index, **segment}
            for index, segment in enumerate(segments if isinstance(segments, list) else ())
            if isinstance(segment, dict)
        ]
    if told:
        body["usage"] = _usage(told)


def _usage(told: dict[str, Any]) -> dict[str, Any]:
    """In OpenAI's words. Of what goes in, Mistral's `prompt_tokens` are the text alone: what was
    heard, in pieces of 30 s, stands in the total."""
    prompt, completion, total = (
        count if type(count := told.get(name)) is int and count >= 0 else 0
        for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    heard = max(0, total - prompt - completion)
    seconds = told.get("prompt_audio_seconds")
    return {
        "type": "tokens",
        "input_tokens": prompt + heard,
        "output_tokens": completion,
        "total_tokens": prompt + heard + completion,
        "input_token_details": {"audio_tokens": heard, "text_tokens": prompt},
        **({"prompt_audio_seconds": seconds} if seconds else {}),
    }
