import asyncio
import logging
from uuid import UUID

from ...domain.ids import KeyId
from ..cache.changes import ChangeSink
from ..system.lasting_task import LastingTask
from .database import Database
from .failures import FOREIGN

CHANNEL = "langroute_changes"

# A server that vanished without a word is noticed after at most the sum of the two.
_HEARTBEAT_S = 2.0
_ANSWER_S = 2.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0

_log = logging.getLogger(__name__)


class PostgresChanges:
    """Listens for the notices that the tables' triggers send, and passes them on to the sink.

    Whenever a connection has been made anew, everything counts as changed: notices may have been
    missed. `ready` is set while it listens.
    """

    def __init__(self, database: Database, sink: ChangeSink) -> None:
        self._database = database
        self._sink = sink
        self._task = LastingTask(self._listen_for_ever, "langroute-changes")
        self._pause_s = _FIRST_PAUSE_S
        self.ready = asyncio.Event()

    def start(self) -> None:
        self._task.start()

    async def aclose(self) -> None:
        await self._task.aclose()

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  (if this ended, no change would be heard of)
                mystery = not isinstance(error, FOREIGN)
                _log.warning("cannot hear of changes: %r", error, exc_info=mystery)
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)

    async def _listen(self) -> None:
        """Until the connection is lost. Raises what asyncpg raises."""
        lost = asyncio.Event()
        connection = await self._database.connect()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._heard)
            self._sink.everything_changed()
            self._pause_s = _FIRST_PAUSE_S
            self.ready.set()
            while not await _happens(lost, within_s=_HEARTBEAT_S):
                await connection.execute("select 1", timeout=_ANSWER_S)
            _log.warning("lost the connection that hears of changes")
        finally:
            self.ready.clear()
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        what, _, which = str(payload).partition(":")
        try:
            match what:
                case "catalogue":
                    self._sink.catalogue_changed()
                case "key":
                    self._sink.key_changed(bytes.fromhex(which))
                case "keys":
                    self._sink.keys_changed()
                case "credential":
                    self._sink.credential_changed(None if which == "*" else KeyId(UUID(which)))
                case "corrected":
                    self._sink.calls_corrected([UUID(each) for each in which.split(",") if each])
                case _:
                    self._sink.everything_changed()
        except ValueError:
            # Anybody who may log in may send a notice.
            self._sink.everything_changed()


async def _happens(event: asyncio.Event, *, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False
