from collections.abc import Iterator
from contextlib import contextmanager

from ....domain.errors import AlreadyRunning


class OneAtATime:
    """For what reads the ledger from end to end: callers of models share the process, and its few
    connections to the database, with it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises AlreadyRunning."""
        if self._is_taken:
            raise AlreadyRunning(self._what)
        self._is_taken = True
        try:
            yield
        finally:
            self._is_taken = False
