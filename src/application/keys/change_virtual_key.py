from dataclasses import dataclass, replace

from ...domain.errors import NotFound
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from ...domain.limits import Limits
from ...domain.organizations import Team
from ..organizations.carried_limits import ordered_limits
from ..organizations.limit_order import LimitOrder
from ..organizations.names import check_models, missing_refused
from ..ports.organizations import Organizations
from ..ports.virtual_keys import VirtualKeys
from .issue_virtual_key import check_name, ordered_team


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What is to be different. None leaves a thing as it is; the limits and `allowed_models` are
    replaced whole. The key `leaves_team`, or moves to `team`: an id, a name, or
    `organization/team`."""

    name: str | None = None
    limits: Limits | None = None
    further_limits: tuple[LimitOrder, ...] | None = None
    team: str | None = None
    leaves_team: bool = False
    allowed_models: tuple[str, ...] | None = None
    never_expires: bool = False
    expires_at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeVirtualKey:
    """Open to administrators. Takes effect on every node within one second. What a key has used
    stays counted for the team that it leaves. Raises NotFound, InvalidRequest."""

    keys: VirtualKeys
    organizations: Organizations

    async def __call__(self, key_id: KeyId, change: KeyChange) -> VirtualKey:
        if await self.keys.by_id(key_id) is None:
            raise NotFound("virtual key", str(key_id))
        if change.name is not None:
            check_name(change.name)
        if change.allowed_models is not None:
            check_models(change.allowed_models)
        team = None
        if change.team is not None and not change.leaves_team:
            team = await ordered_team(self.organizations, change.team)
        with missing_refused("team"):
            return await self.keys.change(key_id, lambda key: _changed(key, change, team))


def _changed(key: VirtualKey, change: KeyChange, team: Team | None) -> VirtualKey:
    if change.name is not None:
        key = replace(key, name=change.name)
    if change.limits is not None:
        key = replace(key, limits=change.limits)
    if change.further_limits is not None:
        key = replace(key, further_limits=ordered_limits(change.further_limits, key.scope))
    if team is not None or change.leaves_team:
        key = replace(key, team=team)
    if change.allowed_models is not None:
        key = replace(key, allowed_models=change.allowed_models)
    if change.never_expires:
        key = replace(key, expires_at_ns=None)
    elif change.expires_at_ns is not None:
        key = replace(key, expires_at_ns=change.expires_at_ns)
    return key
