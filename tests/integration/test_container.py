import secrets

import pytest
from dependency_injector import providers

from langroute.entrypoints.container import Container, memory_container
from langroute.entrypoints.settings import load_settings


def _postgres() -> Container:
    return Container(
        settings=load_settings(data_dir="unused"),
        database_url="postgresql://nobody@localhost:1/none",
        encryption_keys=[secrets.token_bytes(32)],
    )


def _memory() -> Container:
    return memory_container(load_settings(data_dir="unused"), [secrets.token_bytes(32)])


@pytest.mark.parametrize("container", [_postgres(), _memory()], ids=["postgres", "memory"])
async def test_everything_that_is_wired_can_be_built(container: Container) -> None:
    """The library accepts a misspelt argument until it is called."""
    for name, provider in container.providers.items():
        built = provider()
        assert built is not None, name
        if isinstance(provider, providers.Singleton):
            assert provider() is built, f"{name} is made anew each time"
    container.database.reset()
