from dataclasses import dataclass, field

from ...domain.errors import InvalidRequest
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey, compose_secret, digest_of, hint_of
from ...domain.limits import Limits
from ...domain.organizations import Team, key_scope
from ..organizations.carried_limits import ordered_limits
from ..organizations.limit_order import LimitOrder
from ..organizations.list_organizations import ListOrganizations
from ..organizations.names import check_models, missing_refused
from ..ports.clock import Clock
from ..ports.entropy import Entropy
from ..ports.organizations import Organizations
from ..ports.virtual_keys import VirtualKeys

SECRET_BYTES = 24
_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder:
    """What a new key is to be. `limits` of None takes the gateway's default ones. `team` is an id,
    a name, or `organization/team`."""

    name: str = ""
    limits: Limits | None = None
    further_limits: tuple[LimitOrder, ...] = ()
    team: str | None = None
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
    organizations: Organizations
    clock: Clock
    entropy: Entropy
    default_limits: Limits

    async def __call__(self, order: KeyOrder) -> IssuedKey:
        now_ns = self.clock.now_ns()
        check_name(order.name)
        check_models(order.allowed_models)
        if order.expires_at_ns is not None and order.expires_at_ns <= now_ns:
            raise InvalidRequest("The expiry lies in the past.", param="expires_at")
        team = None if order.team is None else await ordered_team(self.organizations, order.team)
        secret = compose_secret(self.entropy.secret(SECRET_BYTES))
        id_ = KeyId(self.entropy.uuid())
        key = VirtualKey(
            id=id_,
            name=order.name,
            digest=digest_of(secret),
            hint=hint_of(secret),
            limits=order.limits or self.default_limits,
            further_limits=ordered_limits(order.further_limits, key_scope(id_)),
            team=team,
            allowed_models=order.allowed_models,
            created_at_ns=now_ns,
            expires_at_ns=order.expires_at_ns,
        )
        with missing_refused("team"):
            await self.keys.put(key)
        return IssuedKey(key=key, secret=secret)


def check_name(name: str) -> None:
    if len(name) > _MAX_NAME or not name.isprintable():
        raise InvalidRequest(
            f"A name has at most {_MAX_NAME} characters, all of them printable.", param="name"
        )


async def ordered_team(organizations: Organizations, named: str) -> Team:
    """Raises InvalidRequest."""
    with missing_refused("team"):
        return await ListOrganizations(organizations).team(named)
