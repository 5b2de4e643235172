from collections import deque
from typing import Any, Self

from ...application.ports.upstream import ChatChunk, ChunkStream, UpstreamCall
from ...domain.errors import ProviderBrokeOff
from .codec import Codec, EncodedChat
from .http_reply import HttpReply
from .identity import Identity
from .json_object import json_object
from .malformed import Malformed
from .refusals import shown
from .said import said_bytes
from .sse import Event, EventDecoder
from .usage import token_usage

_DONE = b"[DONE]"


class HttpChunkStream:
    """The chunks of one answer, as they come.

    It ends where the provider says so, or where the connection ends after every choice that was
    begun has told why it finished: some servers leave the closing `[DONE]` out.
    """

    def __init__(
        self, reply: HttpReply, codec: Codec, sent: EncodedChat, call: UpstreamCall
    ) -> None:
        self.dropped = sent.dropped
        self._reply = reply
        self._codec = codec
        self._sent = sent
        self._provider = call.provider.name
        self._credential = call.credential
        self._identity = Identity(call.model)
        self._decoder = EventDecoder()
        self._events: deque[Event] = deque()
        self._begun: set[int] = set()
        self._finished: set[int] = set()
        self._all_read = False
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatChunk:
        if self._over:
            raise StopAsyncIteration
        try:
            while (event := await self._next_event()) is not None:
                if event.data.startswith(_DONE):
                    await self._reply.drain()
                    break
                return self._chunk(event)
            else:
                self._check_finished()
        except Malformed as error:
            await self.aclose()
            raise self._broke_off(f"{self._provider} sent a broken event: {error}.") from error
        except BaseException:
            await self.aclose()
            raise
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Hangs up at once. Without anything to wait for, so that no cancellation can stop it."""
        self._over = True
        self._events.clear()
        self._reply.close()

    async def _next_event(self) -> Event | None:
        """None at the end of the connection."""
        while not self._events:
            if self._all_read:
                return None
            data = await self._reply.read_some()
            self._all_read = not data
            self._events.extend(self._decoder.feed(data) if data else self._decoder.flush())
        return self._events.popleft()

    def _chunk(self, event: Event) -> ChatChunk:
        body = json_object(event.data)
        if body.get("error") or body.get("object") == "error" or event.name == b"error":
            said = self._codec.complaint(body).message or "an error without a message"
            raise self._broke_off(f"{self._provider} broke off: {said}")
        body = self._codec.chunk(body, self._sent)
        self._identity.complete(body)
        choices = body["choices"]
        self._note_finished(choices)
        usage = body.get("usage")
        return ChatChunk(
            body=body,
            usage=None if usage is None else token_usage(usage),
            text_bytes=said_bytes(choices) if choices else 0,
        )

    def _note_finished(self, choices: list[dict[str, Any]]) -> None:
        for choice in choices:
            index, reason = choice["index"], choice["finish_reason"]
            self._begun.add(index)
            if reason == "error":  # Mistral and OpenRouter
                raise self._broke_off(f"{self._provider} broke off with an error.")
            if reason is not None:
                self._finished.add(index)

    def _check_finished(self) -> None:
        if not self._finished or self._begun - self._finished:
            raise self._broke_off(f"{self._provider} hung up before its answer was finished.")

    def _broke_off(self, message: str) -> ProviderBrokeOff:
        return ProviderBrokeOff(shown(message, self._credential), provider=self._provider)


_: type[ChunkStream] = HttpChunkStream
