import asyncio
from collections.abc import AsyncIterator

import pytest

from langroute.adapters.cache.catalogue import CurrentCatalogue
from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.domain.catalogue import EMPTY_CATALOGUE, Catalogue
from langroute.domain.errors import StoreUnavailable
from langroute.domain.providers import Provider, ProviderKind


class Store(MemoryCatalogues):
    """A catalogue in memory that tells when it is read, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.asked = 0
        self.was_asked = asyncio.Event()

    async def load(self) -> Catalogue:
        self.asked += 1
        self.was_asked.set()
        if self.away:
            raise StoreUnavailable
        return await super().load()

    async def define(self, name: str) -> None:
        provider = Provider(name=name, kind=ProviderKind.OPENAI, base_url="http://x")
        await self.put(providers=[provider])


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def catalogue(store: Store) -> AsyncIterator[CurrentCatalogue]:
    current = CurrentCatalogue(store)
    current.start()
    yield current
    await current.aclose()


async def _shows(catalogue: CurrentCatalogue, name: str) -> None:
    async with asyncio.timeout(5):
        while name not in catalogue.current().providers:
            await asyncio.sleep(0.01)


async def test_it_is_empty_until_it_is_read(store: Store, catalogue: CurrentCatalogue) -> None:
    await store.define("a")
    assert catalogue.current() == EMPTY_CATALOGUE

    await catalogue.refresh()

    assert set(catalogue.current().providers) == {"a"}


async def test_a_change_is_read_in_the_background(
    store: Store, catalogue: CurrentCatalogue
) -> None:
    await store.define("a")

    catalogue.changed()

    await _shows(catalogue, "a")


async def test_a_burst_of_changes_is_read_once(store: Store, catalogue: CurrentCatalogue) -> None:
    for number in range(50):
        await store.define(str(number))
        catalogue.changed()

    await _shows(catalogue, "49")
    assert store.asked == 1


async def test_the_old_one_serves_on_while_the_store_is_away(
    store: Store, catalogue: CurrentCatalogue
) -> None:
    await store.define("a")
    await catalogue.refresh()
    store.away = True
    await store.define("b")
    store.was_asked.clear()

    catalogue.changed()
    async with asyncio.timeout(5):
        await store.was_asked.wait()

    assert set(catalogue.current().providers) == {"a"}
    store.away = False
    await _shows(catalogue, "b")


async def test_refreshing_tells_that_the_store_is_away(
    store: Store, catalogue: CurrentCatalogue
) -> None:
    store.away = True

    with pytest.raises(StoreUnavailable):
        await catalogue.refresh()
