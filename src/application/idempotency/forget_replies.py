import asyncio
import logging
from dataclasses import dataclass

from ...domain.errors import StoreUnavailable
from ..ports.idempotency import IdempotentReplies

_EVERY_S = 600.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ForgetReplies:
    """Lets go of the replies that are older than a day, now and then, for as long as it is awaited.
    Any number of processes may do so."""

    replies: IdempotentReplies
    every_s: float = _EVERY_S

    async def __call__(self) -> None:
        while True:
            await asyncio.sleep(self.every_s)
            try:
                while await self.replies.sweep():
                    pass
            except StoreUnavailable:
                _LOG.warning("old replies could not be let go; trying again")
            except Exception:  # noqa: BLE001  (if this ended, they would be kept for ever)
                _LOG.exception("old replies could not be let go; trying again")
