"""What is supposed, in the words of `limits set`, `prices set` and `routes set`, as the fields of
`POST /api/simulate`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import typer

from .limits import seconds_or_word
from .prices import named_usd
from .routes import read_targets

Json = dict[str, Any]

_FLAGS = frozenset({"soft"})


def supposed_limit(text: str) -> Json:
    """`money 100 --team acme/research --per month`."""
    fields = _fields(text, ("measure", "amount"))
    return fields | ({"per": seconds_or_word(fields["per"])} if "per" in fields else {})


def supposed_price(text: str) -> Json:
    """`openai gpt-4o --input 2.5 --output 10 --unit web_searches=10`."""
    fields = _fields(text, ("provider", "model"), repeated="unit")
    since, units = fields.pop("since", None), fields.pop("unit", ())
    if since is not None:
        fields["effective_from"] = since
    return fields | ({"units": named_usd(units)} if units else {})


def supposed_route(text: str) -> Json:
    """`gpt-4o --to mistral/mistral-large-latest@3,openai/gpt-4o --to …`."""
    fields = _fields(text, ("model",), repeated="to")
    return fields | {"targets": read_targets(fields.pop("to", []))}


def supposed_in(file: Path) -> Json:
    """What `POST /api/simulate` takes, in a file."""
    try:
        told = orjson.loads(file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"{file} is not valid JSON: {error}") from error
    if not isinstance(told, dict):
        raise typer.BadParameter(f"{file} does not hold a JSON object")
    return told


def _fields(text: str, places: Sequence[str], repeated: str = "") -> Json:
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}") from error
    fields: Json = {}
    left = list(places)
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if not word.startswith("--"):
            if not left:
                raise typer.BadParameter(f"{text!r}: {word!r} is one too many")
            fields[left.pop(0)] = word
            continue
        if name in _FLAGS:
            fields[name] = True
            continue
        told = value if equals else next(words, None)
        if told is None:
            raise typer.BadParameter(f"{text!r}: {word} wants a value")
        if name == repeated:
            fields.setdefault(name, []).append(told)
        else:
            fields[name] = told
    if left:
        raise typer.BadParameter(f"{text!r}: {left[0].upper()} is missing")
    return fields
