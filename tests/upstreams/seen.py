import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Seen:
    """One request that a double was sent, and what became of it.

    `usage` is what the double told (or would have told), in its own format. `hung_up` is set once
    the client closed the connection before the answer was finished.
    """

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    connection: tuple[str, int]
    usage: Mapping[str, Any] | None = None
    events_sent: int = 0
    finished: bool = False
    was_cut: bool = False
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def output_cap(self) -> int | None:
        """Under whichever name it was sent; the lowest, where under several."""
        names = ("max_tokens", "max_completion_tokens")
        caps = [self.body[name] for name in names if self.body.get(name) is not None]
        return min(caps, default=None)

    async def wait_for_hang_up(self, within_s: float = 5.0) -> None:
        async with asyncio.timeout(within_s):
            await self.hung_up.wait()
