import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ...domain.errors import GatewayError, ProviderError, ProviderTimedOut
from ...domain.estimates import likely_tokens
from ...domain.ledger import Outcome
from ...domain.receipt import Receipt
from ...domain.timeouts import Timeouts
from ...domain.usage import TokenUsage
from ..ports.clock import Clock
from ..ports.upstream import ChatChunk
from .answers import Begun
from .conduct_call import Underway
from .settle import Ending, Settle

_NS = 10**9


class PaidStream:
    """A streamed answer: the bodies of its events. Owns the call's reservation, and settles it
    exactly once: at the end, when the provider breaks off, or when it is closed early.

    Raises ProviderError where the provider does not finish what it began.
    """

    def __init__(
        self,
        underway: Underway[Any, Any],
        begun: Begun,
        settle: Settle,
        clock: Clock,
        timeouts: Timeouts,
    ) -> None:
        self.receipt: Receipt = underway.receipt._replace(dropped=begun.chunks.dropped)
        self._underway = underway
        self._next: ChatChunk | None = begun.first
        self._failed: Exception | None = None
        self._chunks = begun.chunks
        self._settle = settle
        self._clock = clock
        self._deadline_ns = underway.began_ns + int(timeouts.total_s * _NS)
        self._usage: TokenUsage | None = None
        self._uncounted_bytes = 0
        self._settled = False
        self._outcome: Outcome | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has been paid for: nothing more is read from the provider."""
        return self._settled

    @property
    def is_complete(self) -> bool:
        """Whether it came to the end that the provider gave it."""
        return self._outcome is Outcome.SUCCEEDED

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self

    async def __anext__(self) -> dict[str, Any]:
        if self._settled:
            raise StopAsyncIteration
        try:
            while True:
                shown = self._shown(await self._chunk())
                if shown is not None:
                    return shown
        except StopAsyncIteration:
            self._finish(Outcome.SUCCEEDED)
            last = self._last()
            if last is not None:
                return last
            raise
        except asyncio.CancelledError:
            await self.aclose()
            raise
        except Exception as error:
            reason = error.reason if isinstance(error, ProviderError) else type(error).__name__
            await self.break_off(reason)
            if isinstance(error, GatewayError):
                error.receipt = self.receipt
            raise

    async def aclose(self) -> None:
        """Hangs up on the provider, and settles what was used. Closing again does nothing."""
        await self._leave(Outcome.CLIENT_CANCELLED)

    async def break_off(self, reason: str) -> None:
        """Like `aclose`, where the fault is not the caller's, but lies in the answer, or in who
        writes it down."""
        await self._leave(Outcome.BROKEN_OFF, reason)

    def _shown(self, chunk: ChatChunk) -> dict[str, Any] | None:
        """The chunk as this caller should see it, if at all."""
        return chunk.body

    def _last(self) -> dict[str, Any] | None:
        """What is still to be shown when the answer is over."""
        return None

    def _ends(self, chunk: ChatChunk) -> bool:
        """Whether nothing is said behind this chunk, as far as can be told; usage may be."""
        del chunk
        return False

    async def _chunk(self) -> ChatChunk:
        chunk, self._next = self._next, None
        if chunk is None:
            chunk = await self._read()
        self._count(chunk)
        if self._usage is None and self._ends(chunk):
            await self._look_ahead()
        return chunk

    async def _read(self) -> ChatChunk:
        if self._failed is not None:
            raise self._failed
        # Checked between chunks: the time between two is bounded already, and a timer for each
        # would cost as much as the chunk.
        if self._clock.monotonic_ns() > self._deadline_ns:
            provider = self._underway.target.provider
            raise ProviderTimedOut("The answer took longer than allowed.", provider=provider)
        return await anext(self._chunks)

    async def _look_ahead(self) -> None:
        """Many callers leave when they have seen the end. What the call used is told right behind
        it, and nobody could estimate what a model has thought."""
        try:
            self._next = await self._read()
        except Exception as error:  # noqa: BLE001  (is told once the end has been passed on)
            self._failed = error

    def _count(self, chunk: ChatChunk) -> None:
        self._uncounted_bytes += chunk.text_bytes
        if chunk.usage is not None:
            self._usage = chunk.usage
            if chunk.usage.completion_tokens:
                self._uncounted_bytes = 0

    async def _leave(self, outcome: Outcome, error: str | None = None) -> None:
        """Paid for first, which waits for nothing: however the provider takes the hang-up."""
        if not self._settled:
            self._finish(outcome, error)
            await asyncio.shield(self._chunks.aclose())

    def _finish(self, outcome: Outcome, error: str | None = None) -> None:
        if self._settled:
            return
        self._settled = True
        self._outcome = outcome
        if self._next is not None:  # it came, and nobody stayed to read it
            self._count(self._next)
        underway = self._underway
        used = self._used()
        settled = self._settle(
            underway.reservation,
            Ending(
                outcome=outcome,
                target=underway.target,
                usage=used,
                estimated=underway.plan.is_estimated(self._usage, used),
                error=error,
                attempts=len(underway.receipt.attempts),
                first_byte_ns=underway.first_byte_ns,
            ),
        )
        self.receipt = self.receipt._replace(cost=settled.cost)

    def _used(self) -> TokenUsage:
        """What the provider told last, and an estimate of what has been said since: some tell the
        input at the start, and the output at an end that may never come."""
        plan, target = self._underway.plan, self._underway.target
        said = likely_tokens(self._uncounted_bytes)
        if self._usage is not None and self._outcome is not Outcome.SUCCEEDED:
            # Pictures are seen before they are told of: those that nobody waited for were made.
            told = self._usage.completion_tokens
            said = max(said, plan.request.likely_output(target.model) - told)
        return plan.used(self._usage, said, target)
