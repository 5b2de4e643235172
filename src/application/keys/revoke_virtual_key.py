from dataclasses import dataclass, replace

from ...domain.errors import NotFound
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
        key = await self.keys.by_id(key_id)
        if key is None:
            raise NotFound("virtual key", str(key_id))
        if key.revoked_at_ns is not None:
            return key
        now_ns = self.clock.now_ns()
        return await self.keys.change(key_id, lambda key: replace(key, revoked_at_ns=now_ns))
