import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import (
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)

from .connecting import Client
from .scripts import ALL, Script

_BATCH_S = 2.0

FOREIGN = (RedisError, OSError, TimeoutError)
# A server that says these will soon be another one, or itself again.
_PASSING = (ReadOnlyError, ClusterDownError, TryAgainError, OutOfMemoryError)

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False, kw_only=True)
class Order:
    """Something to do on the server: a script, or a plain command.

    Whoever waits for it has an `answer`, and may give up. Without one it is done sooner or later,
    so doing it twice must do no harm.
    """

    script: Script | None = None
    keys: Sequence[str] = ()
    args: list[str]
    answer: asyncio.Future[Any] | None = None
    was_sent: bool = False

    @property
    def is_wanted(self) -> bool:
        return self.answer is None or not self.answer.done()

    def words(self, *, whole: bool) -> Sequence[str]:
        script = self.script
        if script is None:
            return self.args
        called = ("EVAL", script.text) if whole else ("EVALSHA", script.sha)
        return (*called, str(len(self.keys)), *self.keys, json.dumps(self.args))

    def came_to(self, reply: object) -> None:
        if self.answer is not None and self.answer.done():
            return
        if self.answer is None:
            if isinstance(reply, Exception):
                _log.error("left undone in the store: %s", reply)
        elif isinstance(reply, Exception):
            self.answer.set_exception(reply)
        else:
            self.answer.set_result(reply)


async def teach(client: Client) -> None:
    """A server that has seen the scripts carries out everything in order. One that forgets them
    is told again, but out of order."""
    async with asyncio.timeout(_BATCH_S):
        for script in ALL:
            await client.script_load(script.text)


async def carry_out(client: Client, batch: Sequence[Order]) -> tuple[list[Order], Exception | None]:
    """Returns those that have to be tried again, and why. Raises one of FOREIGN where nobody knows
    which were done."""
    unseen, passing, reason = await _exchange(client, batch, whole=False)
    if unseen:
        _, left, reason = await _exchange(client, unseen, whole=True)
        passing += left
    return passing, reason


async def _exchange(
    client: Client, batch: Sequence[Order], *, whole: bool
) -> tuple[list[Order], list[Order], Exception | None]:
    unseen, passing, reason = [], [], None
    wanted = [order for order in batch if order.is_wanted]
    pipe = client.pipeline(transaction=False)
    for order in wanted:
        order.was_sent = True
        pipe.execute_command(*order.words(whole=whole))
    async with asyncio.timeout(_BATCH_S):
        replies = await pipe.execute(raise_on_error=False)
    for order, reply in zip(wanted, replies, strict=True):
        if isinstance(reply, NoScriptError):
            unseen.append(order)
        elif isinstance(reply, _PASSING):
            passing.append(order)
            reason = reply
        else:
            order.came_to(reply)
    return unseen, passing, reason
