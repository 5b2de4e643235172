from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from ...domain.admission import Ask
from ...domain.limits import Limit
from ...domain.rebuild import scopes_of
from ...domain.scopes import ScopeKind

_MOST_SEEN = 100_000


class MetLimits:
    """Which limits count every call that they have to, from what was before this process on.

    One that is lifted, and set again, has missed calls in between; so has one that some keys have
    heard of and others not yet. Such a limit is as one that was never met.
    """

    def __init__(self) -> None:
        # By the ids' numbers: Python hashes those ten times faster than UUIDs.
        self._by_scope: dict[int, tuple[Limit, ...]] = {}
        self._seen: dict[int, Sequence[Limit]] = {}
        self._untrue: set[int] = set()

    def has_seen(self, ask: Ask, limits: Sequence[Limit]) -> bool:
        """Whether it is known, at little cost, that nothing is missing: these very limits came with
        an earlier call of this key."""
        return self._seen.get(ask.key_id.int) is limits

    def all(self) -> list[Limit]:
        return [limit for limits in self._by_scope.values() for limit in limits]

    def unmet(self, limits: Iterable[Limit]) -> list[Limit]:
        return [limit for limit in limits if not self._has(limit)]

    def add(self, limits: Iterable[Limit]) -> None:
        for limit in limits:
            scope = limit.scope.id.int
            self._by_scope[scope] = (*self._by_scope.get(scope, ()), limit)
            if limit.scope.kind is ScopeKind.KEY:
                self._seen.pop(scope, None)
            else:
                self._seen.clear()

    def forget(self, limits: Iterable[Limit]) -> None:
        for limit in limits:
            self._drop(limit)

    def forget_of(self, scopes: Collection[UUID] | None) -> None:
        """All that these carry; None is everybody."""
        self.forget(
            [
                limit
                for scope in (list(self._by_scope) if scopes is None else [s.int for s in scopes])
                for limit in self._by_scope.get(scope, ())
            ]
        )

    def untrue(self, limits: Iterable[Limit]) -> set[int]:
        """The numbers of those that were forgotten, and have counters still. From now on they are
        taken to have none."""
        found = self._untrue.intersection(limit.id.int for limit in limits)
        self._untrue -= found
        return found

    def notice(self, ask: Ask, limits: Sequence[Limit]) -> None:
        """A call that none but these will count: others that would have to are forgotten."""
        given = {limit.id.int for limit in limits}
        for scope in scopes_of(ask):
            for limit in self._by_scope.get(scope.int, ()):
                if limit.id.int not in given:
                    self._drop(limit)
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[ask.key_id.int] = limits

    def _has(self, limit: Limit) -> bool:
        met = self._by_scope.get(limit.scope.id.int, ())
        return any(each.id.int == limit.id.int for each in met)

    def _drop(self, limit: Limit) -> None:
        scope, number = limit.scope.id.int, limit.id.int
        left = tuple(each for each in self._by_scope.get(scope, ()) if each.id.int != number)
        self._untrue.add(number)
        self._seen.clear()
        if left:
            self._by_scope[scope] = left
        else:
            self._by_scope.pop(scope, None)
