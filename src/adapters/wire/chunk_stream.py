import time
from collections import deque
from typing import Any, Protocol, Self

from ...application.ports.upstream import ChatChunk, ChunkStream, UpstreamCall
from ...domain.errors import ProviderBrokeOff, ProviderTimedOut
from .codec import EncodedChat, EncodedOperation
from .http_reply import HttpReply
from .malformed import BrokeOff, Malformed
from .refusals import shown
from .sse import MAX_EVENT_BYTES, Event, EventDecoder

_DONE = b"[DONE]"


class EventReader(Protocol):
    """What the events of one answer mean. May raise Malformed and BrokeOff."""

    @property
    def is_over(self) -> bool:
        """Whether the provider has told that nothing more will come: not every server hangs up."""
        ...

    def read(self, event: Event) -> list[ChatChunk] | None:
        """The chunks that it comes to; None where the answer is over."""
        ...

    def done(self) -> list[ChatChunk]:
        """A closing `[DONE]` has come: what the provider left out before it. Raises BrokeOff where
        the answer may not end there."""
        ...

    def check_finished(self) -> None:
        """The connection has ended: was that the answer's end?"""
        ...


class HttpChunkStream:
    """The chunks of one answer, as they come.

    It ends where the provider says so, or where the connection ends after every choice that was
    begun has told why it finished: some servers leave the closing `[DONE]` out.
    """

    def __init__(
        self,
        reply: HttpReply,
        reader: EventReader,
        sent: EncodedChat | EncodedOperation,
        call: UpstreamCall[Any],
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self.dropped = sent.dropped
        self.dialect = sent.dialect if isinstance(sent, EncodedChat) else None
        self._reply = reply
        self._reader = reader
        self._provider = call.provider.name
        self._credential = call.credential
        self._deadline = time.monotonic() + call.timeouts.total_s
        self._decoder = EventDecoder(max_event_bytes)
        self._events: deque[Event] = deque()
        self._chunks: deque[ChatChunk] = deque()
        self._all_read = False
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatChunk:
        if self._chunks:
            return self._chunks.popleft()
        if self._over:
            raise StopAsyncIteration
        try:
            if await self._come():
                return self._chunks.popleft()
        except Malformed as error:
            await self.aclose()
            raise self._broke_off(f"sent a broken event: {error}.") from error
        except BrokeOff as error:
            await self.aclose()
            raise self._broke_off(str(error)) from error
        except BaseException:
            await self.aclose()
            raise
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Hangs up at once. Without anything to wait for, so that no cancellation can stop it."""
        self._over = True
        self._events.clear()
        self._chunks.clear()
        self._reply.close()

    async def _come(self) -> bool:
        """Takes in the next chunks; False where the answer is over."""
        while not self._reader.is_over:
            event = await self._next_event()
            if event is None:
                self._reader.check_finished()
                return False
            if event.data.startswith(_DONE):
                self._chunks.extend(self._reader.done())
                break
            chunks = self._reader.read(event)
            if chunks is None:
                break
            if chunks:
                self._chunks.extend(chunks)
                return True
        await self._reply.drain()
        self._over = True
        return bool(self._chunks)

    async def _next_event(self) -> Event | None:
        """None at the end of the connection."""
        while not self._events:
            if self._all_read:
                return None
            data = await self._reply.read_some()
            # Signs of life, without an answer in them, may come for ever.
            if time.monotonic() > self._deadline:
                raise ProviderTimedOut(
                    f"{self._provider} took too long to answer.", provider=self._provider
                )
            self._all_read = not data
            self._events.extend(self._decoder.feed(data) if data else self._decoder.flush())
        return self._events.popleft()

    def _broke_off(self, what: str) -> ProviderBrokeOff:
        message = shown(f"{self._provider} {what}", self._credential)
        return ProviderBrokeOff(message, provider=self._provider)


_: type[ChunkStream] = HttpChunkStream
