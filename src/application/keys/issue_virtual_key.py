from dataclasses import dataclass, field

from ...domain.errors import InvalidRequest
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey, compose_secret, digest_of, hint_of
from ...domain.limits import Limits
from ..ports.clock import Clock
from ..ports.entropy import Entropy
from ..ports.virtual_keys import VirtualKeys

SECRET_BYTES = 24
_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder:
    """What a new key is to be. `limits` of None takes the gateway's default ones."""

    name: str = ""
    limits: Limits | None = None
    allowed_models: tuple[str, ...] = ()
    expires_at_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """The only moment at which the secret is known."""

    key: VirtualKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueVirtualKey:
    """Open to administrators. Raises InvalidRequest."""

    keys: VirtualKeys
    clock: Clock
    entropy: Entropy
    default_limits: Limits

    async def __call__(self, order: KeyOrder) -> IssuedKey:
        now_ns = self.clock.now_ns()
        check_name(order.name)
        check_models(order.allowed_models)
        if order.expires_at_ns is not None and order.expires_at_ns <= now_ns:
            raise InvalidRequest("The expiry lies in the past.", param="expires_at")
        secret = compose_secret(self.entropy.secret(SECRET_BYTES))
        key = VirtualKey(
            id=KeyId(self.entropy.uuid()),
            name=order.name,
            digest=digest_of(secret),
            hint=hint_of(secret),
            limits=order.limits or self.default_limits,
            allowed_models=order.allowed_models,
            created_at_ns=now_ns,
            expires_at_ns=order.expires_at_ns,
        )
        await self.keys.put(key)
        return IssuedKey(key=key, secret=secret)


def check_name(name: str) -> None:
    if len(name) > _MAX_NAME or not name.isprintable():
        raise InvalidRequest(
            f"A name has at most {_MAX_NAME} characters, all of them printable.", param="name"
        )


def check_models(patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        if not pattern or pattern.count("*") > 1:
            raise InvalidRequest(
                f"{pattern!r} is not a model name with at most one '*'.", param="allowed_models"
            )
