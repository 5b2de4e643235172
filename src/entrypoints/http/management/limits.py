from collections.abc import Awaitable, Callable
from uuid import UUID

from quart import Blueprint, Response

from ....application.gateway import Gateway
from ....domain.errors import InvalidRequest
from ....domain.limits import Limit
from ....domain.scopes import Scope
from ...organization_views import limit_view
from ..bodies import read
from .answers import as_json, as_list, key_id
from .limit_bodies import LimitBody

Carried = tuple[Scope, tuple[Limit, ...]]


def add_limits(blueprint: Blueprint, gateway: Gateway) -> None:
    """The limits of whoever carries them, one by one."""

    async def of_organization(named: str) -> Carried:
        found = await gateway.list_organizations.one(named)
        return found.scope, found.limits

    async def of_team(named: str) -> Carried:
        found = await gateway.list_organizations.team(named)
        return found.scope, found.limits

    async def of_key(named: str) -> Carried:
        found = await gateway.list_virtual_keys.one(key_id(named))
        return found.scope, found.further_limits

    _add(blueprint, gateway, "organizations", of_organization)
    _add(blueprint, gateway, "teams", of_team)
    _add(blueprint, gateway, "keys", of_key)


def _add(
    blueprint: Blueprint,
    gateway: Gateway,
    carriers: str,
    find: Callable[[str], Awaitable[Carried]],
) -> None:
    path = f"/{carriers}/<named>/limits"

    @blueprint.get(path, endpoint=f"list limits of {carriers}")
    async def list_limits(named: str) -> Response:
        _, limits = await find(named)
        return as_list([limit_view(limit) for limit in limits])

    @blueprint.post(path, endpoint=f"set limit of {carriers}")
    async def set_limit(named: str) -> Response:
        scope, _ = await find(named)
        body = await read(LimitBody)
        return as_json(limit_view(await gateway.set_limit(scope, body.order())), 201)

    @blueprint.delete(f"{path}/<limit>", endpoint=f"lift limit of {carriers}")
    async def lift_limit(named: str, limit: str) -> Response:
        scope, _ = await find(named)
        await gateway.lift_limit(scope, _limit_id(limit))
        return as_json({"removed": limit})


def _limit_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidRequest("A limit is named by its id, which is a UUID.", param="id") from error
