from dataclasses import dataclass, replace

from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from ..ports.clock import Clock
from ..ports.virtual_keys import VirtualKeys


@dataclass(frozen=True, slots=True)
class RevokeVirtualKey:
    """Open to administrators. Refused on every node within one second; for good. What the key has
    spent stays on record. Revoking again changes nothing. Raises NotFound."""

    keys: VirtualKeys
    clock: Clock

    async def __call__(self, key_id: KeyId) -> VirtualKey:
        now_ns = self.clock.now_ns()

        def revoked(key: VirtualKey) -> VirtualKey:
            return key if key.revoked_at_ns is not None else replace(key, revoked_at_ns=now_ns)

        return await self.keys.change(key_id, revoked)
