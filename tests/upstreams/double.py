from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

import orjson
from aiohttp import web

from langroute.domain.providers import ProviderKind

from .responses import cut, event_response, half_response, json_response
from .script import Script
from .seen import Seen
from .turn import Turn
from .unreadable import MESSAGE, UNREADABLE, object_of


class UpstreamDouble(Script):
    """A provider on 127.0.0.1, over real HTTP, that does what a test tells it.

        async with OpenAIUpstream() as upstream:
            upstream.fail(status=503, times=2)
            ...
            assert upstream.seen[0].body["model"] == "gpt-4o"

    With a `credential`, whoever does not bear it gets the provider's own 401. `kind` is the format
    that it speaks, and `path` where.
    """

    kind: ClassVar[ProviderKind] = ProviderKind.OPENAI
    path: ClassVar[str] = "/v1/chat/completions"

    def __init__(self, *, credential: str | None = None) -> None:
        super().__init__()
        self.credential = credential
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post(self.path, self._chat)
        self.add_paths(app)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        body = object_of(await request.read())
        if body is None:
            return json_response(self.refusal(400, {"message": MESSAGE}), status=400)
        seen = Seen(
            path=request.path,
            headers=request.headers.copy(),
            body=body,
            connection=request.transport.get_extra_info("peername"),
        )
        with self.watching(seen):
            return await self._answered(request, seen)

    async def _answered(self, request: web.Request, seen: Seen) -> web.StreamResponse:
        turn = self.next_turn()
        if self.credential is not None and self.borne(request.headers) != self.credential:
            return json_response(self.unauthenticated(), status=401)
        used = sum(other.connection == seen.connection for other in self.seen) > 1
        if turn.cut_after == 0 or (turn.cuts_stale and used):
            await cut(request, seen)
        instead = await self.instead(request, turn)
        return await self._judged(request, seen, turn) if instead is None else instead

    async def _judged(self, request: web.Request, seen: Seen, turn: Turn) -> web.StreamResponse:
        events: Sequence[Mapping[str, Any]] = ()
        reply: Mapping[str, Any] = {}
        try:
            refused = self.check(seen.body)
            if refused is None and self.wants_stream(seen):
                events = self.events(seen, turn)
            elif refused is None:
                reply = self.reply(seen, turn)
        except UNREADABLE:
            refused = 400, self.refusal(400, {"message": MESSAGE})
        if refused is not None:
            status, error = refused
            return json_response(error, status=status)
        if self.wants_stream(seen):
            return await self._streamed(request, seen, turn, events)
        if turn.cut_after is not None:
            await half_response(request, reply)
            await cut(request, seen)
        return json_response(reply, status=turn.status, headers=turn.headers)

    async def _streamed(
        self, request: web.Request, seen: Seen, turn: Turn, told: Sequence[Mapping[str, Any]]
    ) -> web.StreamResponse:
        events = [self.written(event) for event in told]
        if turn.done and self.closing:
            events.append(self.closing)
        return await event_response(request, seen, turn, events, self.written(self.error_event()))

    # What each provider has of its own.

    def add_paths(self, app: web.Application) -> None:
        """For what is no chat."""

    closing: ClassVar[bytes] = b"data: [DONE]\n\n"

    def borne(self, headers: Mapping[str, str]) -> str | None:
        """The credential of whoever asks."""
        scheme, _, credential = headers.get("Authorization", "").partition(" ")
        return credential if scheme == "Bearer" else None

    def wants_stream(self, seen: Seen) -> bool:
        return bool(seen.body.get("stream"))

    def written(self, event: Mapping[str, Any]) -> bytes:
        return b"data: " + orjson.dumps(event) + b"\n\n"

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        """The status and body of a refusal, for what this provider does not take."""
        raise NotImplementedError

    def unauthenticated(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def error_event(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        raise NotImplementedError

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError
