import asyncio
import signal
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Stop:
    """Asked for once, calls under way may finish; asked for again, they are cut off, and settled
    as what they are."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def by_signals(cls) -> Self:
        stop = cls()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.ask)
        return stop

    def ask(self) -> None:
        (self.at_once if self.asked.is_set() else self.asked).set()
