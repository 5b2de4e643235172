from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from ...domain.attempts import Attempt
from ...domain.errors import (
    AllTargetsFailed,
    CredentialMissing,
    CredentialUnreadable,
    OperationUnsupported,
    ProviderBrokeOff,
    ProviderError,
    ProviderTimedOut,
    ProviderUndefined,
    RejectedByProvider,
    UnsupportedField,
)
from ...domain.routes import Target
from ...domain.timeouts import Timeouts
from ...domain.usage import TokenUsage
from ..ports.upstream import RequestT, UpstreamCall
from ..time_limit import TimeLimit
from .open_credential import OpenCredential
from .plan import Plan

AnswerT = TypeVar("AnswerT")

_NOBODY_WAS_ASKED = (
    CredentialMissing,
    CredentialUnreadable,
    OperationUnsupported,
    ProviderUndefined,
)


@dataclass(slots=True)
class Course:
    """How a call has gone so far. `asked` is the target that may have begun to answer; `unanswered`
    the last one that took too long, and may bill for what it made; `billing` the last one whose
    answer could not be used, and says what it took."""

    attempts: list[Attempt] = field(default_factory=list)
    asked: Target | None = None
    unanswered: Target | None = None
    billing: tuple[Target, TokenUsage] | None = None

    def failed(self, target: Target, error: ProviderError) -> None:
        self.asked = None
        self.attempts.append(_attempt(target, error.reason))
        if isinstance(error, ProviderTimedOut):
            self.unanswered = target
        elif isinstance(error, ProviderBrokeOff) and error.used is not None:
            self.billing = target, error.used


class Answer(NamedTuple, Generic[AnswerT]):
    value: AnswerT
    target: Target


@dataclass(frozen=True, slots=True)
class TryTargets:
    """Asks one target after the other until one answers, within one deadline for them all.

    A provider's failure leads to the next target, and so does a field that it cannot take and that
    must not be dropped; the caller's own fault ends the search. Raises AllTargetsFailed with the
    last failure of somebody who was really asked; where nobody was, UnsupportedField.
    """

    open_credential: OpenCredential
    timeouts: Timeouts
    in_all: TimeLimit = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_all", TimeLimit(self.timeouts.total_s))

    async def __call__(
        self,
        plan: Plan[RequestT],
        course: Course,
        ask: Callable[[UpstreamCall[RequestT]], Awaitable[AnswerT]],
    ) -> Answer[AnswerT]:
        failure: ProviderError | None = None
        unsupported: UnsupportedField | None = None
        try:
            with self.in_all():
                for target in plan.targets:
                    try:
                        call = await self._call(plan, target)
                        course.asked = target
                        value = await ask(call)
                    except RejectedByProvider as error:
                        course.attempts.append(_attempt(target, str(error.status)))
                        raise
                    except UnsupportedField as error:
                        course.asked = None
                        course.attempts.append(_attempt(target, error.reason))
                        unsupported = error
                    except ProviderError as error:
                        course.failed(target, error)
                        if failure is None or not isinstance(error, _NOBODY_WAS_ASKED):
                            failure = error
                    else:
                        course.attempts.append(_attempt(target, "ok"))
                        return Answer(value, target)
        except TimeoutError:
            target = course.asked or plan.targets[-1]
            course.attempts.append(_attempt(target, ProviderTimedOut.reason))
            failure = ProviderTimedOut(
                f"No answer within {self.timeouts.total_s:g} s.", provider=target.provider
            )
        if unsupported and (failure is None or isinstance(failure, _NOBODY_WAS_ASKED)):
            raise unsupported
        assert failure is not None  # noqa: S101  (a route has at least one target)
        raise AllTargetsFailed(failure, course.attempts) from failure

    async def _call(self, plan: Plan[RequestT], target: Target) -> UpstreamCall[RequestT]:
        provider = plan.catalogue.providers.get(target.provider)
        if provider is None:
            raise ProviderUndefined(target.provider)
        return UpstreamCall(
            provider=provider,
            credential=await self.open_credential(plan.key.id, provider),
            model=target.model,
            request=plan.request,
            output_cap=plan.output_cap,
            timeouts=self.timeouts,
            unsupported=plan.unsupported,
        )


def _attempt(target: Target, result: str) -> Attempt:
    return Attempt(provider=target.provider, model=target.model, result=result)
