from dataclasses import dataclass

from .admission import Ask
from .corrections import BookedCall
from .ids import RequestId


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that is over: what it came to, and what it asked for when it was admitted, where that
    is on record."""

    call: BookedCall
    ask: Ask | None = None

    @property
    def place(self) -> tuple[int, RequestId]:
        """In which order calls are told again."""
        entry = self.call.entry
        return entry.at_ns, entry.request_id
