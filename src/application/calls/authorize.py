from dataclasses import dataclass

from ...domain.errors import Unauthenticated
from ...domain.keys import KeyState, VirtualKey, digest_of, is_well_formed
from ..ports.clock import Clock
from ..ports.virtual_keys import KeyLookup


@dataclass(frozen=True, slots=True)
class Authorize:
    """Who holds this secret? Raises Unauthenticated for a key that is missing, mistyped, unknown,
    expired or revoked."""

    keys: KeyLookup
    clock: Clock

    async def __call__(self, secret: str | None) -> VirtualKey:
        if not secret:
            raise Unauthenticated(
                "You did not provide an API key. Send your virtual key in the Authorization "
                "header: 'Authorization: Bearer <virtual key>'."
            )
        if not is_well_formed(secret):
            raise Unauthenticated(
                f"Incorrect API key provided: {_masked(secret)}. It is not a virtual key, or it "
                "was mistyped."
            )
        key = await self.keys.by_digest(digest_of(secret))
        if key is None:
            raise Unauthenticated(f"Incorrect API key provided: {_masked(secret)}.")
        state = key.state(self.clock.now_ns())
        if state is not KeyState.ACTIVE:
            raise Unauthenticated(
                f"The API key provided has been {state}."
                if state is KeyState.REVOKED
                else f"The API key provided has {state}.",
                code=f"{state}_api_key",
            )
        return key


def _masked(secret: str) -> str:
    """Enough to recognise one's own key by, and far too little to use it."""
    if len(secret) < 12:  # noqa: PLR2004  (a hint of a short one would be most of it)
        return "*" * len(secret)
    return f"{secret[:5]}***{secret[-4:]}"
