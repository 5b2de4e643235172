"""What is supposed, in the words of `limits set`, `prices set` and `routes set`, as the fields of
`POST /api/simulate`."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import typer

from .routes import read_target

Json = dict[str, Any]

_FLAGS = frozenset({"soft"})


def supposed_limit(text: str) -> Json:
    """`money 100 --team acme/research --per month`."""
    fields = _fields(text, ("measure", "amount"))
    per = fields.get("per")
    return fields | ({"per": int(per)} if per is not None and per.isdecimal() else {})


def supposed_price(text: str) -> Json:
    """`openai gpt-4o --input 2.5 --output 10 --unit web_searches=10`."""
    fields = _fields(text, ("provider", "model"), repeated="unit")
    since, units = fields.pop("since", None), fields.pop("unit", ())
    if since is not None:
        fields["effective_from"] = since
    named = [each.partition("=") for each in units]
    return fields | ({"units": {name: usd for name, _, usd in named}} if named else {})


def supposed_route(text: str) -> Json:
    """`gpt-4o --to mistral/mistral-large-latest@3,openai/gpt-4o --to …`."""
    fields = _fields(text, ("model",), repeated="to")
    try:
        targets = [
            asdict(read_target(each, order))
            for order, place in enumerate(fields.pop("to", []))
            for each in place.split(",")
        ]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return fields | {"targets": targets}


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
