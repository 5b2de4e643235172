"""As https://platform.openai.com/docs/api-reference describes them."""

import base64
import struct
from typing import Any

from aiohttp import web

from .operations import DIMENSIONS, SOUND, Operations, SeenOperation, inputs, vector
from .responses import json_response

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
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
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
        "output_tokens": 6,
        "total_tokens": 20,
    }
    return json_response({"text": text, "usage": usage})
