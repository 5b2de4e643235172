import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from ...domain.admission import Reservation
from ...domain.errors import AllTargetsFailed, GatewayError, RejectedByProvider
from ...domain.keys import VirtualKey
from ...domain.ledger import Outcome
from ...domain.receipt import Receipt
from ...domain.routes import Target
from ...domain.usage import NO_USAGE, TokenUsage
from ..ports.clock import Clock
from ..ports.reservations import Reservations
from ..ports.upstream import RequestT, UpstreamCall
from .admit import Admit
from .answers import hang_up, said, told_usage
from .plan import Plan
from .plan_call import PlanCall
from .settle import Ending, Settle, Settled
from .try_targets import Course, TryTargets

AnswerT = TypeVar("AnswerT")


class Underway(NamedTuple, Generic[RequestT, AnswerT]):
    """A call that a target has begun to answer. Whoever holds it must settle it.

    `began_ns` is on the monotonic clock.
    """

    plan: Plan[RequestT]
    reservation: Reservation
    receipt: Receipt
    answer: AnswerT
    target: Target
    began_ns: int
    first_byte_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductCall:
    """Plan, admit, call: what chats, whole and streamed, and other operations have in common.

    A call that fails or is cancelled on the way is settled here; one that is answered is settled
    by whoever reads the answer. No answer is passed on before the call's reservation is held: from
    then on it will be paid for, whatever becomes of this process.
    """

    plan: PlanCall
    admit: Admit
    try_targets: TryTargets
    reservations: Reservations
    settle: Settle
    clock: Clock

    async def __call__(
        self,
        key: VirtualKey,
        request: RequestT,
        ask: Callable[[UpstreamCall[RequestT]], Awaitable[AnswerT]],
    ) -> Underway[RequestT, AnswerT]:
        began_ns = self.clock.monotonic_ns()
        plan, reservation, receipt = await self.admit(self.plan(key, request))
        course = Course()
        try:
            answer = await self.try_targets(plan, course, ask)
        except BaseException as error:
            settled = self.settle(reservation, _ended_by(error, plan, course))
            if isinstance(error, GatewayError):
                error.receipt = _of_failure(receipt.after(tuple(course.attempts)), settled)
            raise
        underway = Underway(
            plan=plan,
            reservation=reservation,
            receipt=receipt.after(tuple(course.attempts)),
            answer=answer.value,
            target=answer.target,
            began_ns=began_ns,
            first_byte_ns=self.clock.monotonic_ns() - began_ns,
        )
        try:
            await self.reservations.held(reservation)
        except BaseException as error:
            self._withdraw(underway, error)
            await asyncio.shield(hang_up(underway.answer))
            raise
        return underway

    def _withdraw(self, underway: Underway[RequestT, AnswerT], error: BaseException) -> None:
        """Settles what has been used for an answer that nobody will see."""
        gone = isinstance(error, asyncio.CancelledError)
        usage = told_usage(underway.answer)
        seen = said(underway.answer) if usage is None else 0
        settled = self.settle(
            underway.reservation,
            Ending(
                outcome=Outcome.CLIENT_CANCELLED if gone else Outcome.FAILED,
                target=underway.target,
                usage=underway.plan.used(usage, seen, underway.target),
                estimated=usage is None or underway.plan.request.stream,
                error=None if gone else type(error).__name__,
                attempts=len(underway.receipt.attempts),
                first_byte_ns=underway.first_byte_ns,
            ),
        )
        if isinstance(error, GatewayError):
            error.receipt = _of_failure(underway.receipt, settled)


def _of_failure(receipt: Receipt, settled: Settled) -> Receipt:
    cost = None if settled.entry.usage.is_nothing else settled.cost
    return receipt._replace(standings=settled.standings or receipt.standings, cost=cost)


def _ended_by(error: BaseException, plan: Plan[RequestT], course: Course) -> Ending:
    gone = isinstance(error, asyncio.CancelledError)
    left = course.asked if gone or isinstance(error, AllTargetsFailed) else None
    target, usage, is_guess = left or course.unanswered, NO_USAGE, False
    if target is not None:
        usage, is_guess = _perhaps_used(plan), True
    elif course.billing is not None:
        target, usage = course.billing
    return Ending(
        outcome=Outcome.CLIENT_CANCELLED if gone else Outcome.FAILED,
        target=target or course.asked,
        usage=usage,
        estimated=is_guess,
        error=None if gone else _reason(error),
        attempts=len(course.attempts) + (gone and course.asked is not None),
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, AllTargetsFailed):
        return error.last.reason
    return str(error.status) if isinstance(error, RejectedByProvider) else type(error).__name__


def _perhaps_used(plan: Plan[RequestT]) -> TokenUsage:
    """A provider that was asked for a whole answer may have made all of it before it noticed that
    nobody waits any longer, and bills it; one that was asked for a stream had not sent anything
    yet."""
    return plan.likely_usage(0 if plan.request.stream else plan.ask.output_bound)
