from collections.abc import Sequence
from dataclasses import replace

from ...application.ports.virtual_keys import VirtualKeys
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey


class MemoryKeys:
    """For a gateway that is embedded without a database. As many keys as were put, no fewer."""

    def __init__(self) -> None:
        self._by_id: dict[KeyId, VirtualKey] = {}
        self._by_digest: dict[bytes, VirtualKey] = {}

    async def by_digest(self, digest: bytes) -> VirtualKey | None:
        return self._by_digest.get(digest)

    async def by_id(self, key_id: KeyId) -> VirtualKey | None:
        return self._by_id.get(key_id)

    async def put(self, key: VirtualKey) -> None:
        before = self._by_id.get(key.id)
        if before is not None:
            del self._by_digest[before.digest]
            if before.revoked_at_ns is not None:
                key = replace(key, revoked_at_ns=before.revoked_at_ns)
        self._by_id[key.id] = key
        self._by_digest[key.digest] = key

    async def page(self, after: KeyId | None, size: int) -> Sequence[VirtualKey]:
        ids = sorted(key_id for key_id in self._by_id if after is None or key_id > after)
        return [self._by_id[key_id] for key_id in ids[:size]]


_: type[VirtualKeys] = MemoryKeys
