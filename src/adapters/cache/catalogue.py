import asyncio
import logging

from ...application.ports.catalogues import CatalogueLookup, Catalogues
from ...domain.catalogue import EMPTY_CATALOGUE, Catalogue
from ...domain.errors import StoreUnavailable
from ..system.lasting_task import LastingTask

# A file that is applied, or a script in psql, comes as many changes in a row: they are read once.
_BURST_S = 0.05
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

_log = logging.getLogger(__name__)


class CurrentCatalogue:
    """The catalogue as of the last time that it could be read.

    Once started, a change is read in the background. While the store is away, the old catalogue
    serves on, and reading is tried again.
    """

    def __init__(self, store: Catalogues) -> None:
        self._store = store
        self._catalogue = EMPTY_CATALOGUE
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._task = LastingTask(self._follow, "langroute-catalogue")

    def current(self) -> Catalogue:
        return self._catalogue

    def changed(self) -> None:
        self._changed.set()

    async def refresh(self) -> None:
        """Raises StoreUnavailable, and keeps what was there."""
        async with self._one_at_a_time:
            self._catalogue = await self._store.load()

    def start(self) -> None:
        self._task.start()

    async def aclose(self) -> None:
        await self._task.aclose()

    async def _follow(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._changed.wait()
            await asyncio.sleep(_BURST_S)
            self._changed.clear()
            try:
                await self.refresh()
                pause_s = _FIRST_PAUSE_S
            except Exception as error:  # noqa: BLE001  (if this ended, no change would be seen again)
                mystery = not isinstance(error, StoreUnavailable)
                _log.warning(
                    "the catalogue cannot be read anew; the old one serves on", exc_info=mystery
                )
                self._changed.set()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


_: type[CatalogueLookup] = CurrentCatalogue
