import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from ...application.gateway import Gateway
from ...domain.errors import GatewayError, InvalidRequest
from ..lifecycle import open_container
from ..settings import Settings, WrongSettings, load_settings
from .output import tell_error, working

ResultT = TypeVar("ResultT")

_WRONG_USE = 2


def settings_or_exit(**given: object) -> Settings:
    try:
        return load_settings(**given)
    except WrongSettings as error:
        for line in str(error).splitlines():
            tell_error(line, "wrong setting")
        raise typer.Exit(_WRONG_USE) from error


@contextmanager
def checking() -> Iterator[None]:
    """What is given is held to what HTTP takes; what is wrong with it is a wrong use of the
    command."""
    try:
        yield
    except InvalidRequest as error:
        tell_error(str(error))
        raise typer.Exit(_WRONG_USE) from error


def with_gateway(use: Callable[[Gateway], Awaitable[ResultT]]) -> ResultT:
    """Opens what the gateway needs, uses it once, and closes it again."""
    settings = settings_or_exit()

    async def opened() -> ResultT:
        with working("working"):
            async with open_container(settings) as container:
                container.actors().become(f"command line: {_user()}")
                return await use(container.gateway())

    return run(opened())


def _user() -> str:
    """As the system knows them: names in the environment can be anybody's."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def run(
    work: Coroutine[Any, Any, ResultT],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> ResultT:
    """Runs to the end; an error of the gateway's is one line, and exit code 1."""
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(work)
    except GatewayError as error:
        tell_error(str(error))
        raise typer.Exit(1) from error
