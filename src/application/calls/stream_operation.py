from dataclasses import dataclass

from ...domain.keys import VirtualKey
from ...domain.operations import OperationRequest
from ...domain.timeouts import Timeouts
from ..ports.clock import Clock
from ..ports.upstream import OperationReply, OperationUpstream, UpstreamCall
from .answers import Begun, begun
from .conduct_call import ConductCall
from .paid_stream import PaidStream
from .perform_operation import PerformedOperation, performed
from .settle import Settle


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOperation:
    """Open to the holder of an active key. Pictures, speech and transcriptions as they come about:
    returns once the first event is there, or with the whole of what was made, where the model has
    no events.

    Raises UnknownModel, PolicyError, RejectedByProvider, AllTargetsFailed, OwnError.
    """

    conduct: ConductCall
    upstream: OperationUpstream
    settle: Settle
    clock: Clock
    timeouts: Timeouts

    async def __call__(
        self, key: VirtualKey, request: OperationRequest
    ) -> PaidStream | PerformedOperation:
        underway = await self.conduct(key, request, self._begin)
        answer = underway.answer
        if isinstance(answer, OperationReply):
            return performed(self.settle, underway, answer)
        return PaidStream(underway, answer, self.settle, self.clock, self.timeouts)

    async def _begin(self, call: UpstreamCall[OperationRequest]) -> Begun | OperationReply:
        answer = await self.upstream.stream_operation(call)
        if isinstance(answer, OperationReply):
            return answer
        return await begun(answer, call.provider.name)
