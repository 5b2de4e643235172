import asyncio
from dataclasses import dataclass

from ...domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from ...domain.idempotency import Begun, KeptReply, OtherRequest, RepeatableCall
from ...domain.timeouts import Timeouts
from ..ports.clock import Clock
from ..ports.entropy import Entropy
from ..ports.idempotency import IdempotentReplies
from .turn import Turn

_NS = 10**9
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOnce:
    """Open to the holder of an active key. Whoever asks first gets the turn to answer; all others
    get what it answered, once it has, for a day.

    Raises IdempotencyKeyReused for a name that stands for another request, IdempotencyKeyInUse
    where the answer is not there within the time that a call may take, StoreUnavailable.
    """

    replies: IdempotentReplies
    clock: Clock
    entropy: Entropy
    timeouts: Timeouts

    async def __call__(self, call: RepeatableCall) -> KeptReply | Turn:
        owner = self.entropy.uuid()
        until_ns = self.clock.monotonic_ns() + int(self.timeouts.total_s * _NS)
        pause_s = _FIRST_PAUSE_S
        while True:
            match await self.replies.begin(call, owner):
                case KeptReply() as kept:
                    return kept
                case Begun():
                    return Turn(self.replies, call, owner)
                case OtherRequest():
                    raise IdempotencyKeyReused
            if self.clock.monotonic_ns() >= until_ns:
                raise IdempotencyKeyInUse
            # Asked for, not told: an answer takes seconds, and this way needs nothing of any store.
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
