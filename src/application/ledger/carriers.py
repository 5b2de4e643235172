"""Whoever may carry limits, and those that are supposed to hold."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from ...domain.errors import InvalidRequest
from ...domain.fields import path
from ...domain.limits import Limit
from ...domain.organizations import key_scope, organization_scope, team_scope
from ...domain.scopes import Scope
from ..ports.organizations import Organizations
from ..ports.virtual_keys import VirtualKeys
from .simulation_order import EACH, LimitChange

# Between so many, callers have their turn: there may be very many keys.
_AT_A_TIME = 200

_TOLD = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """`path` tells it among all of its kind, if it has such a name."""

    scope: Scope
    name: str
    path: str | None = None
    limits: Sequence[Limit]

    def is_named(self, named: str) -> bool:
        return named in {EACH, self.name, self.path, str(self.scope.id)}


async def carriers(keys: VirtualKeys, organizations: Organizations) -> Sequence[Carrier]:
    """All that there are, with their own limits."""
    found = [
        Carrier(
            scope=organization_scope(each.id),
            name=each.name,
            limits=each.limits,
        )
        for each in await organizations.organizations()
    ]
    found += [
        Carrier(scope=team_scope(each.id), name=each.name, path=each.path, limits=each.limits)
        for each in await organizations.teams()
    ]
    return [*found, *[carrier async for carrier in _keys(keys)]]


async def _keys(keys: VirtualKeys) -> AsyncIterator[Carrier]:
    after = None
    while page := await keys.page(after, _AT_A_TIME):
        for key in page:
            scope = key_scope(key.id)
            yield Carrier(
                scope=scope, name=key.name, limits=(*key.limits.of(scope), *key.further_limits)
            )
        after = page[-1].id


async def supposed_limits(
    carriers: Sequence[Carrier], changes: Sequence[LimitChange], *, without: bool
) -> dict[UUID, Sequence[Limit]]:
    """By the id of whom they limit. Raises InvalidRequest, naming the field as `limits.0.team`."""
    supposed = {
        carrier.scope.id: {} if without else {limit.id: limit for limit in carrier.limits}
        async for carrier in _in_turns(carriers)
    }
    for index, change in enumerate(changes):
        at = f"limits.{index}"
        async for carrier in _in_turns(_meant(carriers, change, path(at, change.kind))):
            limit = change.order.limit(carrier.scope, at)
            limits = supposed[carrier.scope.id]
            if not change.lifted:
                limits[limit.id] = limit
            elif limits.pop(limit.id, None) is None and change.named != EACH:
                raise InvalidRequest(
                    f"The {change.kind} {change.named!r} has no limit that counts this.", param=at
                )
    return {carrier: tuple(limits.values()) for carrier, limits in supposed.items() if limits}


async def _in_turns(many: Iterable[T]) -> AsyncIterator[T]:
    for number, each in enumerate(many, 1):
        yield each
        if not number % _AT_A_TIME:
            await asyncio.sleep(0)


def _meant(carriers: Iterable[Carrier], change: LimitChange, param: str) -> Sequence[Carrier]:
    found = [
        carrier
        for carrier in carriers
        if carrier.scope.kind is change.kind and carrier.is_named(change.named)
    ]
    if not found and change.named != EACH:
        raise InvalidRequest(f"There is no {change.kind} {change.named!r}.", param=param)
    if len(found) > 1 and change.named != EACH:
        ids = ", ".join(carrier.path or str(carrier.scope.id) for carrier in found[:_TOLD])
        raise InvalidRequest(f"Several are called {change.named!r}: {ids}.", param=param)
    return found
