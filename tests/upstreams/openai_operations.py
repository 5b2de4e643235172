"""As https://platform.openai.com/docs/api-reference describes them."""

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from .operations import DIMENSIONS, SOUND, Operations, SeenOperation, inputs, vector
from .responses import json_response

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
_WITHOUT_EVENTS = frozenset({"whisper-1"})
_EMBEDDING_FIELDS = frozenset({"model", "input", "dimensions", "encoding_format", "user"})


class OpenAIOperations(Operations):
    """OpenAI, or with `knows_base64` False, one of the many servers that ignore what they do not
    know."""

    knows_base64 = True

    def performed(self, name: str, seen: SeenOperation) -> web.StreamResponse:
        match name:
            case "embeddings":
                return self._embeddings(seen)
            case "moderations":
                return json_response(_moderations(seen.body))
            case "audio/speech":
                return web.Response(body=SOUND, content_type="audio/mpeg")
            case "audio/transcriptions" | "audio/translations":
                return _transcription(seen)
        return json_response(
            {"created": 1_780_000_000, "data": _pictures(seen), "usage": _picture_usage()}
        )

    def streamed(self, name: str, seen: SeenOperation) -> Sequence[Mapping[str, Any]] | None:
        """Models that have no events take no notice of the wish for them:
        https://platform.openai.com/docs/api-reference/audio/createTranscription"""
        model = seen.fields["model"][0] if seen.parts else seen.body.get("model")
        if model in _WITHOUT_EVENTS:
            return None
        match name:
            case "images/generations" if seen.body.get("stream"):
                return _picture_events("image_generation", seen)
            case "images/edits" if seen.body.get("stream") or seen.fields.get("stream") == ["true"]:
                return _picture_events("image_edit", seen)
            case "audio/speech" if seen.body.get("stream_format") == "sse":
                return _speech_events()
            case "audio/transcriptions" if seen.fields.get("stream") == ["true"]:
                return _transcription_events(seen)
        return None

    def _embeddings(self, seen: SeenOperation) -> web.Response:
        body = seen.body
        if unknown := body.keys() - _EMBEDDING_FIELDS:
            message = f"Unknown field: {min(unknown)}"
            return json_response(
                {"error": {"message": message, "type": "invalid_request_error"}}, status=400
            )
        given = inputs(body["input"])
        vectors = [vector(one, body.get("dimensions") or DIMENSIONS) for one in given]
        as_text = self.knows_base64 and body.get("encoding_format") == "base64"
        count = sum(len(one.split()) if isinstance(one, str) else 1 for one in given)
        return json_response(
            {
                "object": "list",
                "data": [
                    {
                        "object": "embedding",
                        "index": index,
                        "embedding": packed(numbers) if as_text else numbers,
                    }
                    for index, numbers in enumerate(vectors)
                ],
                "model": body["model"],
                "usage": {"prompt_tokens": count, "total_tokens": count},
            }
        )


def packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _moderations(body: dict[str, Any]) -> dict[str, Any]:
    result = {"flagged": False, "categories": {"violence": False}, "category_scores": {}}
    return {"id": "modr-double", "model": body["model"], "results": [result]}


def _pictures(seen: SeenOperation) -> list[dict[str, Any]]:
    asked = seen.fields["n"][0] if "n" in seen.fields else seen.body.get("n") or 1
    return [{"b64_json": base64.b64encode(PICTURE).decode()}] * int(asked)


def _picture_usage() -> dict[str, Any]:
    return {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 100,
        "total_tokens": 150,
    }


def _transcription(seen: SeenOperation) -> web.Response:
    text = f"{len(seen.files[0].data)} bytes"
    match seen.fields.get("response_format"):
        case ["text"]:
            return web.Response(text=f"{text}\n", content_type="text/plain")
        case ["vtt"]:
            return web.Response(text=f"WEBVTT\n\n{text}\n", content_type="text/vtt")
    return json_response({"text": text, "usage": _transcription_usage()})


def _transcription_usage() -> dict[str, Any]:
    return {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
        "output_tokens": 6,
        "total_tokens": 20,
    }


def _transcription_events(seen: SeenOperation) -> list[dict[str, Any]]:
    count = f"{len(seen.files[0].data)}"
    return [
        {"type": "transcript.text.delta", "delta": count},
        {"type": "transcript.text.delta", "delta": " bytes"},
        {
            "type": "transcript.text.done",
            "text": f"{count} bytes",
            "usage": _transcription_usage(),
        },
    ]


def _speech_events() -> list[dict[str, Any]]:
    pieces = [base64.b64encode(piece).decode() for piece in (SOUND[:100], SOUND[100:])]
    usage = {"input_tokens": 4, "output_tokens": 40, "total_tokens": 44}
    return [
        *({"type": "speech.audio.delta", "audio": piece} for piece in pieces),
        {"type": "speech.audio.done", "usage": usage},
    ]


def _picture_events(kind: str, seen: SeenOperation) -> list[dict[str, Any]]:
    made = {
        "created_at": 1_780_000_000,
        "size": "1024x1024",
        "quality": "low",
        "background": "opaque",
        "output_format": "png",
    }
    given = seen.fields.get("partial_images", [seen.body.get("partial_images") or 0])
    partial = [
        {
            "type": f"{kind}.partial_image",
            "b64_json": base64.b64encode(PICTURE[: 20 * (index + 1)]).decode(),
            "partial_image_index": index,
            **made,
        }
        for index in range(int(given[0]))
    ]
    completed = {"type": f"{kind}.completed", "usage": _picture_usage(), **made}
    return [*partial, *({**completed, **picture} for picture in _pictures(seen))]
