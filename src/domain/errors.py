"""Everything that can go wrong, by whose fault it is.

    GatewayError
    ├── CallerError                 the caller's
    │   ├── InvalidRequest
    │   │   ├── RequestTooLarge
    │   │   ├── UnsupportedField
    │   │   └── UnboundedField
    │   ├── Unauthenticated
    │   ├── UnknownModel
    │   ├── NotFound
    │   ├── IdempotencyKeyReused
    │   ├── IdempotencyKeyInUse
    │   ├── AlreadyRunning
    │   └── RejectedByProvider
    ├── PolicyError                 a rule said no
    │   ├── Forbidden
    │   ├── LimitReached
    │   └── Unpriced
    ├── ProviderError               the provider's; another one may be asked
    │   ├── ProviderRefused
    │   ├── ProviderUnreachable
    │   ├── ProviderTimedOut
    │   ├── ProviderBrokeOff
    │   ├── ProviderUndefined
    │   ├── OperationUnsupported
    │   ├── CredentialMissing
    │   └── CredentialUnreadable
    ├── AllTargetsFailed            the providers', each of them
    └── OwnError                    ours
        ├── StoreUnavailable
        ├── LedgerFull
        └── ShuttingDown

Errors carry data; how they read over HTTP stands in one table in the entrypoint.
"""

from collections.abc import Sequence
from enum import StrEnum

from .attempts import Attempt
from .limits import Limit, Refusal
from .receipt import Receipt
from .stores import Store
from .usage import TokenUsage


class Fault(StrEnum):
    CALLER = "caller"
    POLICY = "policy"
    PROVIDER = "provider"
    GATEWAY = "gateway"


class GatewayError(Exception):
    """The root. `fault` says whose it is; `str()` is a sentence that may be shown to the caller;
    `receipt` is set once it is known whose call it was."""

    fault: Fault = Fault.GATEWAY
    receipt: Receipt | None = None


class CallerError(GatewayError):
    fault = Fault.CALLER


class PolicyError(GatewayError):
    fault = Fault.POLICY


class OwnError(GatewayError):
    fault = Fault.GATEWAY


class InvalidRequest(CallerError):
    """The request breaks the format. `param` names the field, as a path such as `messages.0.role`;
    None where the whole body is at fault."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class RequestTooLarge(InvalidRequest):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is larger than {limit_bytes} bytes.")
        self.limit_bytes = limit_bytes


class UnsupportedField(InvalidRequest):
    """The provider cannot take a field that the call must not go without; another one may."""

    reason = "unsupported"

    def __init__(self, message: str, *, param: str, provider: str) -> None:
        super().__init__(message, param=param)
        self.provider = provider


class UnboundedField(InvalidRequest):
    """A field that brings more input, or more cost, than anybody can tell beforehand, in a call
    whose tokens or money are limited."""

    def __init__(self, param: str, limit: Limit) -> None:
        super().__init__(
            f"'{param}' is not allowed for this key: the input or the cost that it brings cannot "
            f"be told beforehand, so the limit on {limit.name} could not be held. Ask the operator "
            "for a route of this model with 'unbounded: debt', or for a key without such a limit.",
            param=param,
        )
        self.limit = limit


class Unauthenticated(CallerError):
    """`code` tells a missing key from a wrong, expired or revoked one."""

    def __init__(self, message: str, *, code: str = "invalid_api_key") -> None:
        super().__init__(message)
        self.code = code


class UnknownModel(CallerError):
    def __init__(self, model: str) -> None:
        super().__init__(f"The model {model!r} does not exist, or no route serves it.")
        self.model = model


class NotFound(CallerError):
    """A thing that was named does not exist: `what` is its kind, `name` its name."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is no {what} {name!r}.")
        self.what = what
        self.name = name


class IdempotencyKeyReused(CallerError):
    """The key names another request already, of the last day."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was sent with another request before. A key names one request: "
            "send a new one with each."
        )


class IdempotencyKeyInUse(CallerError):
    """The request that the key names is still being answered."""

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still being answered. Try again later."
        )


class AlreadyRunning(CallerError):
    """What takes a while, and one caller at a time: `what` it is."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Another {what} is still running. Try again when it is over.")
        self.what = what


class RejectedByProvider(CallerError):
    """The provider found fault with the request itself, so no other one is asked."""

    def __init__(
        self, message: str, *, provider: str, status: int, param: str | None, code: str | None
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.status = status
        self.param = param
        self.code = code


class Forbidden(PolicyError):
    """The key is good, but may not do this."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class LimitReached(PolicyError):
    """A limit of the key, its team or its organization is used up. `scope_name` is whose."""

    def __init__(self, refusal: Refusal, scope_name: str = "") -> None:
        limit = refusal.limit
        told = (limit.told(amount) for amount in (limit.amount, refusal.used, refusal.asked))
        allowed, used, asked = told
        whose = f" {scope_name!r}" if scope_name else ""
        super().__init__(
            f"{'Budget' if limit.is_budget else 'Rate limit'} reached on {limit.name}{whose}: "
            f"limit {allowed}, used {used}, requested {asked}."
        )
        self.refusal = refusal


class Unpriced(PolicyError):
    """Nobody knows what the model costs, and a budget has to hold."""

    def __init__(self, model: str, budget: Limit) -> None:
        super().__init__(
            f"The model {model!r} has no price, so {budget.name} cannot be held. "
            "Ask the operator to set one."
        )
        self.model = model
        self.budget = budget


class ProviderError(GatewayError):
    """A failure that another target may make good. `reason` is short, for headers and ledger."""

    fault = Fault.PROVIDER
    reason: str = "failed"

    def __init__(self, message: str, *, provider: str) -> None:
        super().__init__(message)
        self.provider = provider


class ProviderRefused(ProviderError):
    """The provider answered with a failure of its own: 401, 403, 404, 408, 409, 429, 5xx."""

    def __init__(
        self, message: str, *, provider: str, status: int, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, provider=provider)
        self.status = status
        self.retry_after_s = retry_after_s
        self.reason = str(status)


class ProviderUnreachable(ProviderError):
    """No connection, or one that closed before anything came back."""

    reason = "unreachable"


class ProviderTimedOut(ProviderError):
    """It was asked, and took too long: it may have worked all the same, and bill that."""

    reason = "timeout"


class ProviderBrokeOff(ProviderError):
    """The answer began and did not end, or was not in the provider's format. `used` is what it
    tells all the same of what it took."""

    reason = "broken"

    def __init__(self, message: str, *, provider: str, used: TokenUsage | None = None) -> None:
        super().__init__(message, provider=provider)
        self.used = used


class ProviderUndefined(ProviderError):
    """A route names a provider that is not defined, or whose definition cannot be used."""

    def __init__(self, provider: str) -> None:
        super().__init__(f"The provider {provider} is not defined.", provider=provider)

    reason = "undefined"


class OperationUnsupported(ProviderError):
    """The provider has no such thing; another one may."""

    def __init__(self, provider: str, operation: str) -> None:
        super().__init__(f"The provider {provider} offers no {operation}.", provider=provider)
        self.operation = operation

    reason = "unsupported"


class CredentialMissing(ProviderError):
    def __init__(self, provider: str) -> None:
        super().__init__(f"No credential is saved for {provider}.", provider=provider)

    reason = "no-credential"


class CredentialUnreadable(ProviderError):
    def __init__(self, provider: str) -> None:
        super().__init__(
            f"The credential saved for {provider} cannot be opened.", provider=provider
        )

    reason = "unreadable-credential"


class AllTargetsFailed(GatewayError):
    """Nobody is left to ask. `last` is the last target's failure."""

    fault = Fault.PROVIDER

    def __init__(self, last: ProviderError, attempts: Sequence[Attempt]) -> None:
        super().__init__(str(last))
        self.last = last
        self.attempts = tuple(attempts)


class StoreUnavailable(OwnError):
    """What is kept there is needed, is not in memory, and cannot be read or written."""

    def __init__(self, store: Store = Store.CONFIGURATION) -> None:
        super().__init__(f"{store.capitalize()} cannot be reached just now. Try again in a moment.")
        self.store = store


class LedgerFull(OwnError):
    """Nothing more is admitted while what was spent cannot be written down."""

    def __init__(self) -> None:
        super().__init__("The ledger cannot be written just now. Try again in a moment.")


class ShuttingDown(OwnError):
    def __init__(self) -> None:
        super().__init__(
            "The gateway is shutting down, and could not wait for this call any longer. Try again "
            "in a moment."
        )
