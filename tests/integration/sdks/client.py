"""What a client library is asked in every test of clients, and what comes of it.

Each library has a class that fills, of `Client`, what the library can; the suite in
`test_clients.py` asks every one that can.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

HELLO = "Hello there"
SAID = "You said: Hello there"
SUNNY = "It is sunny in Paris."
WEATHER_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
# As OpenAI's chats have it.
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": WEATHER_SCHEMA,
    },
}
PARIS = {"name": "Paris", "country": "France"}


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


class City(BaseModel):
    """Where something is."""

    name: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`pieces` are a stream's; `tokens` are those of the answer, None where it told none."""

    pieces: Sequence[str]
    tokens: int | None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A tool that the model called, and what it said once it knew the result."""

    name: str
    arguments: Any
    text: str

    @classmethod
    def of(cls, function: Any, text: str) -> "Called":
        return cls(name=function.name, arguments=json.loads(function.arguments), text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`kinds` are the names of the exception's class and of those above it; `wait` is the header's
    that tells how long to."""

    kinds: Sequence[str]
    status: int | None
    wait: str | None


@dataclass(slots=True)
class Client:
    """Of one library, for one model, with a key, at a gateway's address.

    Beside `close`, what a class has of these is what its library can:

        async def chat(self) -> Said            to HELLO
        async def stream(self, *, usage: bool) -> Said
        async def tool(self, *, streams: bool) -> Called
        async def read_object(self) -> dict     as City has it
        async def embed(self) -> list           of "one" and "two"
        async def models(self) -> list          their names
        async def leave(self) -> None           a stream, after its first words
    """

    url: str
    key: str
    model: str

    always_tells_usage: ClassVar[bool] = False
    """Streams cannot be had without."""
    object_tool: ClassVar[str | None] = None
    """Which the model is made to call for an object; None where it is its answer."""
    raises: ClassVar[type[Exception] | tuple[type[Exception], ...]]
    """The library's own exceptions."""
    kinds: ClassVar[Mapping[int, str]]
    """Their names, for 400, 401, 404, 429 and 502."""
    marks: ClassVar[Sequence[pytest.MarkDecorator]] = ()

    def __post_init__(self) -> None:
        """Where a library's own client is made that `close` closes."""

    @staticmethod
    def failure(error: Any) -> Failure:
        """Of an exception that is one of `raises`."""
        return Failure(
            kinds=[kind.__name__ for kind in type(error).__mro__],
            status=getattr(error, "status_code", None),
            wait=error.response.headers.get("retry-after") if hasattr(error, "response") else None,
        )

    async def close(self) -> None:
        """Of what it keeps open."""


OF_OPENAI = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    429: "RateLimitError",
    502: "InternalServerError",
}
"""As OpenAI's libraries name exceptions, and Anthropic's after them."""
