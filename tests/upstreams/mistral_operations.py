"""As https://docs.mistral.ai/api has them: what is not in the schema is refused with 422."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from .operations import DIMENSIONS, Operations, SeenOperation, inputs, vector
from .responses import json_response

_FIELDS = {
    "embeddings": frozenset(
        {"model", "input", "metadata", "output_dimension", "output_dtype", "encoding_format"}
    ),
    "moderations": frozenset({"model", "input", "metadata"}),
    "audio/transcriptions": frozenset(
        {
            *("model", "file_url", "file_id", "language", "temperature", "stream", "diarize"),
            *("context_bias", "speaker_references", "timestamp_granularities"),
        }
    ),
}


class MistralOperations(Operations):
    def performed(self, name: str, seen: SeenOperation) -> web.StreamResponse:
        if name not in _FIELDS:
            return json_response({"detail": "Not Found"}, status=404)
        if faults := list(_faults(name, seen)):
            return json_response({"detail": faults}, status=422)
        match name:
            case "embeddings":
                return json_response(_embeddings(seen.body))
            case "moderations":
                return json_response(_moderations(seen.body))
        return json_response(_transcription(seen))


def _faults(name: str, seen: SeenOperation) -> Iterator[Mapping[str, Any]]:
    for odd in (seen.fields if seen.parts else seen.body).keys() - _FIELDS[name]:
        yield _fault("extra_forbidden", odd, "Extra inputs are not permitted")
    if name != "audio/transcriptions":
        given = seen.body["input"]
        if not all(isinstance(one, str) for one in ([given] if isinstance(given, str) else given)):
            yield _fault("string_type", "input", "Input should be a valid string")
    if seen.fields.keys() >= {"language", "timestamp_granularities"}:
        yield _fault("value_error", "language", "Not with timestamp_granularities")
    if (seen.body.get("output_dimension") or 1) > 3072:
        yield _fault("less_than", "output_dimension", "Input should be less than 3073")


def _fault(kind: str, name: str, message: str) -> Mapping[str, Any]:
    return {"type": kind, "loc": ["body", name], "msg": message, "input": None}


def _embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    given = inputs(body["input"])
    count = sum(len(text.split()) for text in given)
    return {
        "id": "embd-double",
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "embedding": vector(text, body.get("output_dimension") or DIMENSIONS),
                "index": index,
            }
            for index, text in enumerate(given)
        ],
        "model": body["model"],
        "usage": {"prompt_tokens": count, "completion_tokens": 0, "total_tokens": count},
    }


def _moderations(body: Mapping[str, Any]) -> dict[str, Any]:
    results = [
        {"categories": {"pii": "phone" in text, "law": False}, "category_scores": {"pii": 0.5}}
        for text in inputs(body["input"])
    ]
    return {"id": "mod-double", "model": body["model"], "results": results}


def _transcription(seen: SeenOperation) -> dict[str, Any]:
    is_timed = seen.fields.get("timestamp_granularities") == ["segment"]
    text = f"{len(seen.files[0].data)} bytes" if seen.files else seen.fields["file_url"][0]
    segment = {"text": text, "start": 0.0, "end": 2.5, "type": "transcription_segment"}
    return {
        "model": seen.fields["model"][0],
        "text": text,
        "language": None,
        "segments": [segment] if is_timed else [],
        "usage": {
            "prompt_audio_seconds": 3,
            "prompt_tokens": 4,
            "completion_tokens": 6,
            "total_tokens": 385,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 375},
        },
    }
