from collections.abc import Iterable
from typing import NamedTuple


class Attempt(NamedTuple):
    """One target that was asked. `result` is `ok`, or a short reason such as `429` or `timeout`."""

    provider: str
    model: str
    result: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}={self.result}"


def told(attempts: Iterable[Attempt]) -> str:
    """On one line, in the order in which they were made."""
    return ", ".join(str(attempt) for attempt in attempts)
