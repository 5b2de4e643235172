import hashlib
import zlib
from dataclasses import dataclass, field
from enum import StrEnum

from .ids import KeyId
from .limits import Limit, Limits
from .organizations import Organization, Team, check_limits, is_allowed, key_scope
from .scopes import Scope, ScopeKind

SECRET_PREFIX = "lrvk_"
SECRET_BODY_LENGTH = 32  # base62 digits: 190 bits
CHECKSUM_LENGTH = 6  # base62 digits: a CRC-32 fits
SECRET_PATTERN = rf"{SECRET_PREFIX}[0-9A-Za-z]{{{SECRET_BODY_LENGTH + CHECKSUM_LENGTH}}}"
"""For secret scanners. The last six digits are the checksum of those before them."""

_USUAL = Limits(requests_per_minute=0, tokens_per_minute=0)
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class KeyState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualKey:
    """What an application holds instead of a provider's key.

    The secret itself is shown once and never kept: `digest` is its SHA-256, `hint` its last four
    characters. No `allowed_models` means every model; each may hold one `*`. Beside its own
    `limits` and `further_limits`, those of its team and organization hold; `all_limits` has them
    all. What `limits` can tell is no further limit, whether it is set or not.
    """

    id: KeyId
    name: str
    digest: bytes = field(repr=False)
    hint: str
    limits: Limits
    further_limits: tuple[Limit, ...] = ()
    team: Team | None = None
    allowed_models: tuple[str, ...] = ()
    created_at_ns: int
    expires_at_ns: int | None = None
    revoked_at_ns: int | None = None
    all_limits: tuple[Limit, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        scope = self.scope
        own = (*self.limits.of(scope), *self.further_limits)
        check_limits((*_USUAL.of(scope), *self.further_limits), scope)
        of_team = () if self.team is None else self.team.limits
        of_organization = () if self.organization is None else self.organization.limits
        object.__setattr__(self, "all_limits", (*own, *of_team, *of_organization))

    @property
    def scope(self) -> Scope:
        return key_scope(self.id)

    @property
    def organization(self) -> Organization | None:
        return None if self.team is None else self.team.organization

    def state(self, now_ns: int) -> KeyState:
        if self.revoked_at_ns is not None:
            return KeyState.REVOKED
        if self.expires_at_ns is not None and self.expires_at_ns <= now_ns:
            return KeyState.EXPIRED
        return KeyState.ACTIVE

    def name_of(self, scope: Scope) -> str:
        """How the one is called that carries a limit of this key's."""
        if scope.kind is ScopeKind.KEY or self.team is None:
            return self.name
        if scope.kind is ScopeKind.TEAM or self.organization is None:
            return self.team.path
        return self.organization.name

    @property
    def may_use_all(self) -> bool:
        carriers = (self, self.team, self.organization)
        return not any(each is not None and each.allowed_models for each in carriers)

    def may_use(self, model: str) -> bool:
        team, organization = self.team, self.organization
        return (
            is_allowed(model, self.allowed_models)
            and (team is None or is_allowed(model, team.allowed_models))
            and (organization is None or is_allowed(model, organization.allowed_models))
        )


def compose_secret(random: bytes) -> str:
    """A virtual key's secret out of at least 24 random bytes."""
    body = _base62(int.from_bytes(random, "big"), SECRET_BODY_LENGTH)
    return SECRET_PREFIX + body + _checksum(SECRET_PREFIX + body)


def is_well_formed(secret: str) -> bool:
    """Whether a secret can be one of ours at all. Tells a mistyped key without a look-up."""
    return (
        len(secret) == len(SECRET_PREFIX) + SECRET_BODY_LENGTH + CHECKSUM_LENGTH
        and secret.startswith(SECRET_PREFIX)
        and secret.isascii()
        and _checksum(secret[:-CHECKSUM_LENGTH]) == secret[-CHECKSUM_LENGTH:]
    )


def digest_of(secret: str) -> bytes:
    """SHA-256 is enough: the secret has 190 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def hint_of(secret: str) -> str:
    return secret[-4:]


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
