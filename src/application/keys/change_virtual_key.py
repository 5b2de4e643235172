from dataclasses import dataclass, replace

from ...domain.errors import NotFound
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from ...domain.limits import Limits
from ..ports.virtual_keys import VirtualKeys
from .issue_virtual_key import check_models, check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What is to be different. None leaves a thing as it is; `limits` and `allowed_models` are
    replaced whole."""

    name: str | None = None
    limits: Limits | None = None
    allowed_models: tuple[str, ...] | None = None
    never_expires: bool = False
    expires_at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeVirtualKey:
    """Open to administrators. Takes effect on every node within one second. Raises NotFound,
    InvalidRequest."""

    keys: VirtualKeys

    async def __call__(self, key_id: KeyId, change: KeyChange) -> VirtualKey:
        key = await self.keys.by_id(key_id)
        if key is None:
            raise NotFound("virtual key", str(key_id))
        if change.name is not None:
            check_name(change.name)
            key = replace(key, name=change.name)
        if change.limits is not None:
            key = replace(key, limits=change.limits)
        if change.allowed_models is not None:
            check_models(change.allowed_models)
            key = replace(key, allowed_models=change.allowed_models)
        if change.never_expires:
            key = replace(key, expires_at_ns=None)
        elif change.expires_at_ns is not None:
            key = replace(key, expires_at_ns=change.expires_at_ns)
        await self.keys.put(key)
        return key
