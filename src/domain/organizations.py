from collections.abc import Collection, Iterable, Sized
from dataclasses import dataclass
from uuid import UUID

from .errors import InvalidRequest
from .ids import OrganizationId, TeamId
from .limits import Limit
from .patterns import matched_by_star
from .scopes import Scope, ScopeKind

MOST_LIMITS = 50
"""How many an organization, a team or a key may be given: each of its calls asks all of them. A
key's requests and tokens a minute are not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """`limits` hold for all of its teams together. No `allowed_models` means every model; each may
    hold one `*`."""

    id: OrganizationId
    name: str
    allowed_models: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        check_limits(self.limits, self.scope)

    @property
    def scope(self) -> Scope:
        return organization_scope(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """`limits` hold for all of its keys together."""

    id: TeamId
    name: str
    organization: Organization | None = None
    allowed_models: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        check_limits(self.limits, self.scope)

    @property
    def scope(self) -> Scope:
        return team_scope(self.id)

    @property
    def path(self) -> str:
        """Names it among all teams."""
        return self.name if self.organization is None else f"{self.organization.name}/{self.name}"


def organization_scope(id_: UUID) -> Scope:
    return Scope(kind=ScopeKind.ORGANIZATION, id=id_)


def team_scope(id_: UUID) -> Scope:
    return Scope(kind=ScopeKind.TEAM, id=id_)


def key_scope(id_: UUID) -> Scope:
    return Scope(kind=ScopeKind.KEY, id=id_)


def check_limits(limits: Iterable[Limit], scope: Scope) -> None:
    """Raises ValueError for one of another scope, and for one that is there twice."""
    ids = set()
    for limit in limits:
        if limit.scope != scope:
            raise ValueError(f"a limit of the {limit.scope} cannot be carried by the {scope}")
        if limit.id in ids:
            raise ValueError("two limits of a scope count the same calls in the same way")
        ids.add(limit.id)


def check_number(limits: Sized, scope: Scope) -> None:
    """For whoever gives a scope its limits: more that are there all the same, by SQL, hold. Raises
    InvalidRequest."""
    if len(limits) > MOST_LIMITS:
        raise InvalidRequest(
            f"The {scope.kind} would have more than {MOST_LIMITS} limits.", param="limits"
        )


def with_limit(limits: Iterable[Limit], limit: Limit) -> Collection[Limit]:
    """One more, or in the place of the one that counts the same. Raises InvalidRequest where it is
    one too many."""
    present = {each.id: each for each in limits}
    is_new = limit.id not in present
    present[limit.id] = limit
    if is_new:
        check_number(present, limit.scope)
    return present.values()


def is_allowed(model: str, allowed: tuple[str, ...]) -> bool:
    return not allowed or any(matched_by_star(each, model) is not None for each in allowed)
