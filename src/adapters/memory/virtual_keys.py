from collections.abc import Callable, Sequence
from dataclasses import replace

from ...application.ports.virtual_keys import VirtualKeys
from ...domain.errors import NotFound
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from .audit import MemoryAudit
from .organizations import MemoryOrganizations


class MemoryKeys:
    """For a gateway that is embedded without a database. As many keys as were put, no fewer."""

    def __init__(
        self,
        organizations: MemoryOrganizations | None = None,
        audit: MemoryAudit | None = None,
    ) -> None:
        self._organizations = organizations or MemoryOrganizations()
        self._audit = audit
        self._by_id: dict[KeyId, VirtualKey] = {}
        self._by_digest: dict[bytes, VirtualKey] = {}

    async def by_digest(self, digest: bytes) -> VirtualKey | None:
        return self._current(self._by_digest.get(digest))

    async def by_id(self, key_id: KeyId) -> VirtualKey | None:
        return self._current(self._by_id.get(key_id))

    async def put(self, key: VirtualKey) -> None:
        before = self._by_id.get(key.id)
        if before is not None and before.revoked_at_ns is not None:
            key = replace(key, revoked_at_ns=before.revoked_at_ns)
        self._organizations.seat(key)
        if before is not None:
            del self._by_digest[before.digest]
        self._keep(key)
        if self._audit is not None:
            self._audit.saw("key", str(key.id), before, key)

    async def change(self, key_id: KeyId, change: Callable[[VirtualKey], VirtualKey]) -> VirtualKey:
        key = await self.by_id(key_id)
        if key is None:
            raise NotFound("virtual key", str(key_id))
        changed = change(key)
        await self.put(changed)
        return changed

    async def page(self, after: KeyId | None, size: int) -> Sequence[VirtualKey]:
        ids = sorted(key_id for key_id in self._by_id if after is None or key_id > after)
        keys = (self._current(self._by_id[key_id]) for key_id in ids[:size])
        return [key for key in keys if key is not None]

    def _current(self, key: VirtualKey | None) -> VirtualKey | None:
        """As its team is now."""
        if key is None or key.team is None:
            return key
        team = self._organizations.team(key.team.id)
        if team is not key.team:
            key = replace(key, team=team)
            self._keep(key)
        return key

    def _keep(self, key: VirtualKey) -> None:
        self._by_id[key.id] = key
        self._by_digest[key.digest] = key


_: type[VirtualKeys] = MemoryKeys
