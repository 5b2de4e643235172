"""Embeddings as https://platform.openai.com/docs/api-reference/embeddings has them, in the encoding
that the caller asked for: numbers, or base64 of little-endian 32-bit floats, which OpenAI's own
clients ask for unless they are told not to. Many servers know the one only."""

import base64
import binascii
import sys
from array import array
from collections.abc import Mapping
from math import isfinite
from typing import Any
from uuid import uuid4

from ...domain.operations import OperationRequest
from .malformed import Malformed

_FLOAT_BYTES = 4
_NUMBERS = frozenset({int, float})


def well_formed_embeddings(
    body: dict[str, Any], request: OperationRequest, model: str
) -> dict[str, Any]:
    """Changes the body it is given. Raises Malformed where it cannot be put right."""
    data = body.get("data")
    if not isinstance(data, list) or len(data) != _inputs(request.body["input"]):
        raise Malformed("it does not have an embedding for each input")
    for index, item in enumerate(data):
        if not isinstance(item, dict):
            raise Malformed("an embedding is not an object")
        item["object"] = "embedding"
        if type(item.get("index")) is not int:
            item["index"] = index
        item["embedding"] = _encoded(item.get("embedding"), request.body)
    body["object"] = "list"
    # Mistral's own client insists on one.
    if not isinstance(body.get("id"), str):
        body["id"] = f"embd-{uuid4().hex}"
    if not isinstance(body.get("model"), str) or not body["model"]:
        body["model"] = model
    body["usage"] = _usage(body.get("usage"))
    return body


def _inputs(given: Any) -> int:
    """One where it is a text, or the numbers of one text's tokens."""
    return len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1


def _encoded(embedding: object, asked: Mapping[str, Any]) -> list[Any] | str:
    as_text = asked.get("encoding_format") == "base64"
    if isinstance(embedding, list):
        if not embedding or not _NUMBERS.issuperset(map(type, embedding)):
            raise Malformed("an embedding is not a list of numbers")
        return to_base64(embedding) if as_text else embedding
    if not isinstance(embedding, str):
        raise Malformed("an embedding is neither numbers nor base64")
    if asked.get("output_dtype") not in (None, "float"):
        return embedding  # some providers' bytes or bits
    numbers = from_base64(embedding)
    return embedding if as_text else numbers


def to_base64(numbers: list[Any]) -> str:
    """Raises Malformed where a number is beyond 32 bits."""
    try:
        floats = array("f", numbers)
    except OverflowError as error:
        raise Malformed("an embedding's number is too large") from error
    if not _are_finite(floats):
        raise Malformed("an embedding's number is too large")
    return base64.b64encode(_little_endian(floats).tobytes()).decode()


def from_base64(text: str) -> list[float]:
    """Raises Malformed."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("an embedding is not base64") from error
    if not raw or len(raw) % _FLOAT_BYTES:
        raise Malformed("an embedding's base64 does not hold 32-bit numbers")
    floats = array("f", raw)
    if not _are_finite(_little_endian(floats)):
        raise Malformed("an embedding's base64 holds what is no number")
    return floats.tolist()


def _are_finite(floats: "array[float]") -> bool:
    """Whether none of them is infinite, or no number at all; a sum of any such is one, too."""
    return isfinite(sum(floats))


def _little_endian(floats: "array[float]") -> "array[float]":
    """In place."""
    if sys.byteorder == "big":
        floats.byteswap()
    return floats


def _usage(told: object) -> dict[str, Any]:
    """With both counts, of which a server may tell one: nothing is written. Zero where none was
    told, since the format requires them."""
    usage = {name: n for name, n in told.items() if n is not None} if isinstance(told, dict) else {}
    prompt, total = _count(usage.get("prompt_tokens")), _count(usage.get("total_tokens"))
    prompt = (total or 0) if prompt is None else prompt
    return {**usage, "prompt_tokens": prompt, "total_tokens": prompt if total is None else total}


def _count(told: object) -> int | None:
    return told if type(told) is int and told >= 0 else None
