"""What Mistral offers beside chats, as the `mistralai` package 3.7 has it:
https://docs.mistral.ai/api/#tag/embeddings, #tag/classifiers, #tag/audio.transcriptions."""

from functools import partial
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.errors import OperationUnsupported
from ....domain.operations import Operation, OperationRequest
from ...wire.codec import EncodedOperation
from .content import joined_text
from .operation_replies import translated_operation

# OpenAI's fields without a counterpart. All others are left to Mistral, as those of chats are.
_UNKNOWN = frozenset(
    {
        "chunking_strategy",
        "include",
        "known_speaker_names",
        "known_speaker_references",
        "prompt",
        "user",
    }
)
_NAMES = {"dimensions": "output_dimension"}
# Nothing is told about what a base64 of theirs holds; so numbers are asked for, which is their
# default, and encoded here. The form of a transcription is theirs to choose, and always JSON.
_OURS = frozenset({"encoding_format", "response_format", "stream", "stream_format"})
_JSON_FORMATS = frozenset({None, "json", "verbose_json"})


def encoded_operation(call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
    """Raises OperationUnsupported for a part of what Mistral does not do."""
    request = call.request
    body: dict[str, Any] = {}
    dropped: list[str] = []
    for name, value in request.body.items():
        plain = name.removesuffix("[]")
        if value is None or plain in _OURS:
            continue
        if plain in _UNKNOWN:
            dropped.append(name)
        else:
            body[_NAMES.get(plain, plain)] = value
    body["model"] = call.model
    match request.operation:
        case Operation.EMBEDDINGS:
            _check_texts(call, body["input"])
        case Operation.MODERATIONS:
            body["input"] = _texts(call, body["input"])
        case Operation.TRANSCRIPTIONS:
            dropped += _choose_timestamps(call, body)
        case _:
            return None
    return EncodedOperation(
        path=f"/{request.operation}",
        body=body,
        files=request.files,
        dropped=tuple(dropped),
        translate=partial(translated_operation, request=request),
    )


def _check_texts(call: UpstreamCall[OperationRequest], given: object) -> None:
    if isinstance(given, list) and not isinstance(given[0], str):
        raise _unsupported(call, "of tokens' numbers")


def _texts(call: UpstreamCall[OperationRequest], given: Any) -> Any:
    """Texts as they are; the parts of a message, which OpenAI judges together, as one text."""
    if not isinstance(given, list) or all(isinstance(item, str) for item in given):
        return given
    if any(isinstance(item, dict) and item.get("type") != "text" for item in given):
        raise _unsupported(call, "of pictures")
    return joined_text(given)


def _choose_timestamps(call: UpstreamCall[OperationRequest], body: dict[str, Any]) -> list[str]:
    """In place; gives what had to be left out for them. OpenAI's longer form has the segments
    without asking, and Mistral refuses a language beside them:
    https://docs.mistral.ai/capabilities/audio_transcription/offline_transcription"""
    kind = call.request.body.get("response_format")
    if isinstance(kind, list) or kind not in _JSON_FORMATS:
        raise _unsupported(call, f"as {kind}")
    if kind == "verbose_json":
        body.setdefault("timestamp_granularities", ["segment"])
    if "timestamp_granularities" in body and body.pop("language", None) is not None:
        return ["language"]
    return []


def _unsupported(call: UpstreamCall[OperationRequest], part: str) -> OperationUnsupported:
    return OperationUnsupported(call.provider.name, f"{call.request.operation} {part}")
