from contextvars import ContextVar

from ...application.ports.audit import Actors
from ...domain.audit import BY_ITSELF

# One for the process, as contexts never let go of theirs.
_NAME = ContextVar("langroute_actor", default=BY_ITSELF)


class TaskActor:
    """Who asks, kept by the task that does what is asked."""

    def current(self) -> str:
        return _NAME.get()

    def become(self, name: str) -> None:
        _NAME.set(name)


_: type[Actors] = TaskActor
