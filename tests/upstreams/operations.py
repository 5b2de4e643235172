"""What a double does beside chats: it reads JSON and forms, keeps what it was sent byte for byte,
and makes something that can be told from it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import BodyPartReader, web

from .responses import event_response, json_response
from .script import Script
from .seen import Seen
from .unreadable import MESSAGE, UNREADABLE, object_of

SOUND = b"ID3\x00\xff" + bytes(range(256))
DIMENSIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of a form. A field has no filename."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str | None = None


@dataclass(slots=True, kw_only=True)
class SeenOperation(Seen):
    """`parts` are a form's, in their order; `body` is then empty."""

    parts: list[Part] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, list[str]]:
        told: dict[str, list[str]] = {}
        for part in self.parts:
            if part.filename is None:
                told.setdefault(part.name, []).append(part.data.decode())
        return told

    @property
    def files(self) -> list[Part]:
        return [part for part in self.parts if part.filename is not None]


class Operations(Script):
    """Beside UpstreamDouble. Turns are taken as for chats; what fails in the middle is for streams
    only."""

    credential: str | None

    def add_paths(self, app: web.Application) -> None:
        app.router.add_post("/v1/{name:(embeddings|moderations|images/.+|audio/.+)}", self._operate)

    @property
    def operations(self) -> list[SeenOperation]:
        return [seen for seen in self.seen if isinstance(seen, SeenOperation)]

    async def _operate(self, request: web.Request) -> web.StreamResponse:
        seen = await _read(request)
        if seen is None:
            return json_response(self.refusal(400, {"message": MESSAGE}), status=400)
        with self.watching(seen):
            return await self._performed(request, seen)

    async def _performed(self, request: web.Request, seen: SeenOperation) -> web.StreamResponse:
        turn = self.next_turn()
        bearer = request.headers.get("Authorization")
        if self.credential is not None and bearer != f"Bearer {self.credential}":
            return json_response({"message": "Unauthorized"}, status=401)
        if (instead := await self.instead(request, turn)) is not None:
            return instead
        try:
            name = request.match_info["name"]
            told = self.streamed(name, seen)
            response = self.performed(name, seen) if told is None else None
        except UNREADABLE:
            return json_response(self.refusal(400, {"message": MESSAGE}), status=400)
        if response is not None:
            return response
        events = [named_event(event) for event in told or ()]
        return await event_response(request, seen, turn, events, named_event(self.error_event()))

    # What each provider has of its own.

    def performed(self, name: str, seen: SeenOperation) -> web.StreamResponse:
        raise NotImplementedError

    def error_event(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def streamed(self, name: str, seen: SeenOperation) -> Sequence[Mapping[str, Any]] | None:
        """The events, where some were asked for and there are any."""
        del name, seen
        return None


def named_event(event: Mapping[str, Any]) -> bytes:
    name = f"event: {event['type']}\n".encode() if "type" in event else b""
    return b"%sdata: %s\n\n" % (name, orjson.dumps(event))


async def _read(request: web.Request) -> SeenOperation | None:
    assert request.transport is not None
    seen = SeenOperation(
        path=request.path,
        headers=request.headers.copy(),
        body={},
        connection=request.transport.get_extra_info("peername"),
    )
    if not request.content_type.startswith("multipart/"):
        if (body := object_of(await request.read())) is None:
            return None
        seen.body = body
        return seen
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        assert part.name is not None
        seen.parts.append(
            Part(
                name=part.name,
                data=bytes(await part.read()),
                filename=part.filename,
                content_type=part.headers.get("Content-Type"),
            )
        )
    return seen


def vector(text: object, dimensions: int) -> list[float]:
    """Of its own for each text, and exact in 32 bits."""
    digest = hashlib.shake_256(repr(text).encode()).digest(dimensions)
    return [(byte - 128) / 256 for byte in digest]


def inputs(given: Any) -> Sequence[Any]:
    is_one = isinstance(given, str) or isinstance(given[0], int)
    return [given] if is_one else given
