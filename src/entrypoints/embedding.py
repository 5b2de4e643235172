from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..application.gateway import Gateway
from .lifecycle import open_container, open_memory_container
from .settings import Settings, load_settings


@asynccontextmanager
async def open_gateway(
    settings: Settings | None = None, *, memory: bool = False, **adapters: object
) -> AsyncIterator[Gateway]:
    """The gateway inside another application, without HTTP.

    `settings` default to the environment's. With `memory` there is no database, and everything is
    gone at the end. `adapters` take the place of those that the container wires, by its names:
    `upstream`, `clock`, `keys`, `ledger`… Raises WrongSettings, StoreUnavailable, TypeError.
    """
    settings = settings or load_settings()
    if memory:
        async with open_memory_container(settings, adapters=adapters) as container:
            yield container.gateway()
    else:
        async with open_container(settings, serving=True, adapters=adapters) as container:
            yield container.gateway()
