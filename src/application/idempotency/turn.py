import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from uuid import UUID

from ...domain.errors import StoreUnavailable
from ...domain.idempotency import KeptReply, RepeatableCall
from ..ports.idempotency import IdempotentReplies

_RENEWALS = 3  # in the time of a lease
_FIRST_FAILURE = 300
# The caller's fault, which is the same every time. What a rule, a provider or the gateway refused
# may go well the next time.
_LASTING = frozenset({400, 413, 422})
_LOG = logging.getLogger(__name__)


class Turn:
    """Whoever has it is to answer the call, once, `held`: what is not kept by then is forgotten."""

    def __init__(self, replies: IdempotentReplies, call: RepeatableCall, owner: UUID) -> None:
        self._replies = replies
        self._call = call
        self._owner = owner
        self._is_over = False

    @property
    def largest(self) -> int:
        """The most bytes that are kept of an answer."""
        return self._replies.largest

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Nobody else takes over meanwhile."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            if not self._is_over:
                await _told(self._replies.forget(self._call, self._owner))

    async def keep(self, reply: KeptReply) -> None:
        """Makes it the answer from now on, unless it is a failure, or too large."""
        is_lasting = reply.status < _FIRST_FAILURE or reply.status in _LASTING
        if is_lasting and len(reply.body) <= self.largest:
            self._is_over = await _told(self._replies.keep(self._call, self._owner, reply))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._replies.lease_s / _RENEWALS)
            await _told(self._replies.renew(self._call, self._owner))


async def _told(step: Awaitable[object]) -> bool:
    """The caller has its answer, or is about to: a store that is away must not spoil it."""
    try:
        await step
    except StoreUnavailable:
        _LOG.warning("an answer could not be kept for its repetition: the store is away")
        return False
    except Exception:  # noqa: BLE001  (nor must any other fault of the store)
        _LOG.exception("an answer could not be kept for its repetition")
        return False
    return True
