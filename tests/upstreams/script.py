import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from .gate import Gate
from .responses import hang, json_response, raw_response
from .seen import Seen
from .turn import Turn


class Script:
    """What a double is told to do, and what it has seen.

    Turns are taken in order, one a request; after them `default` answers.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.default = Turn()
        self._turns: deque[Turn] = deque()

    @property
    def connections(self) -> int:
        """How many were made by those who asked something."""
        return len({seen.connection for seen in self.seen})

    def forget(self) -> None:
        """For a double that outlives a test."""
        self.seen.clear()
        self._turns.clear()

    def will(self, turn: Turn, *, times: int = 1) -> None:
        self._turns.extend([turn] * times)

    def say(self, text: str, *, times: int = 1, **more: Any) -> None:
        """`more` is what else a Turn holds."""
        self.will(Turn(text=text, **more), times=times)

    def fail(
        self,
        *,
        status: int,
        times: int = 1,
        message: str = "This was told to fail.",
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        error = {"message": message, "code": code, "param": param}
        self.will(Turn(status=status, error=error, headers=headers or {}), times=times)

    def hold(self, *, after_events: int | None = None) -> Gate:
        """The next answer, or what comes after so many events of it, waits until the gate is
        opened."""
        gate = Gate()
        self.will(Turn(gate=gate, gate_after=after_events))
        return gate

    def hang(self, *, after_events: int | None = None) -> None:
        """Never answers, or never goes on."""
        self.will(Turn(hangs=after_events is None, hang_after=after_events))

    def cut(self, *, after_events: int = 0, times: int = 1) -> None:
        """Closes the connection: before anything is sent, or in the middle of the answer."""
        self.will(Turn(cut_after=after_events), times=times)

    def break_off(self, *, after_events: int = 1, times: int = 1) -> None:
        """Sends an error in the middle of a stream."""
        self.will(Turn(error_after=after_events), times=times)

    def cut_stale(self, *, times: int = 1) -> None:
        """As a server does that closes an idle connection just when it is used again. A request on
        a new connection is answered."""
        self.will(Turn(cuts_stale=True), times=times)

    def next_turn(self) -> Turn:
        return self._turns.popleft() if self._turns else self.default

    @contextmanager
    def watching(self, seen: Seen) -> Iterator[None]:
        """What becomes of it while it is being answered."""
        self.seen.append(seen)
        try:
            yield
        except (asyncio.CancelledError, ConnectionError):
            if not seen.was_cut:
                seen.hung_up.set()
            raise
        seen.finished = True

    async def instead(self, request: web.Request, turn: Turn) -> web.StreamResponse | None:
        """What was told to be sent in place of an answer. Waits where it was told to."""
        if turn.hangs:
            await hang()
        if turn.gate is not None and turn.gate_after is None:
            await turn.gate.wait()
        if turn.error is not None:
            error = self.refusal(turn.status, turn.error)
            return json_response(error, status=turn.status, headers=turn.headers)
        return None if turn.raw is None else await raw_response(request, turn)

    def refusal(self, status: int, error: Mapping[str, Any]) -> Mapping[str, Any]:
        """In the provider's own words."""
        raise NotImplementedError
