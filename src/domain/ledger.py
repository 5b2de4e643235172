from dataclasses import dataclass, field
from enum import StrEnum

from .admission import Reservation
from .ids import KeyId, OrganizationId, RequestId, TeamId
from .money import ZERO, Money
from .usage import NO_USAGE, TokenUsage


class Outcome(StrEnum):
    """How a call ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLIENT_CANCELLED = "client_cancelled"
    BROKEN_OFF = "broken_off"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What one call used and cost. Written once, never changed.

    `priced` is False where the model had no price: the cost is then unknown, not zero.
    `estimated` marks usage that the provider did not tell. Times are Unix nanoseconds. `held` is
    what the call was admitted with, as long as that is at hand; it is not written.
    """

    request_id: RequestId
    key_id: KeyId
    team_id: TeamId | None = None
    organization_id: OrganizationId | None = None
    end_user: str | None = None
    tag: str | None = None
    at_ns: int
    duration_ns: int
    first_byte_ns: int | None = None
    model: str
    provider: str | None = None
    upstream_model: str | None = None
    outcome: Outcome
    error: str | None = None
    attempts: int
    streamed: bool
    usage: TokenUsage = NO_USAGE
    cost: Money = ZERO
    priced: bool = True
    estimated: bool = False
    held: Reservation | None = field(default=None, compare=False, repr=False)
