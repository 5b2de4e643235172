"""Reads cases as lines of JSON, and writes for each, as one, what instructor made of the gateway's
answer: {made}, or {failed} with the exception of the library that it stands on."""

import asyncio
import importlib
import json
import os
import sys
from typing import Any

from openai import APIError, APIStatusError, AsyncOpenAI
from pydantic import BaseModel, field_validator

from strangers import WATCH

# Not there where types are checked: this runs in an environment of its own.
instructor: Any = importlib.import_module("instructor")
WATCH.is_on = True


class City(BaseModel):
    """Where something is."""

    name: str
    country: str


class NamedCity(City):
    @field_validator("name")
    @classmethod
    def begins_large(cls, name: str) -> str:
        if not name[:1].isupper():
            raise ValueError("a name begins with a capital letter")
        return name


class Asking:
    """A client, and what each case makes of it."""

    def __init__(self, *, url: str, key: str, model: str, way: str) -> None:
        self._client = AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        self._chats = instructor.from_openai(self._client, mode=instructor.Mode[way]).chat
        self._asks = {"model": model, "messages": [{"role": "user", "content": "Hello there"}]}

    async def made(self, ask: str) -> object:
        async with self._client:
            return await getattr(self, ask)()

    async def read_object(self) -> object:
        return await self._create(City, max_retries=1)

    async def read_valid(self) -> object:
        return await self._create(NamedCity, max_retries=2)

    async def _create(self, kind: type[City], **more: Any) -> object:
        made = await self._chats.completions.create(response_model=kind, **more, **self._asks)
        return made.model_dump()

    async def read_growing(self) -> object:
        cities = self._chats.completions.create_partial(response_model=City, **self._asks)
        return [city.model_dump() async for city in cities]

    async def read_each(self) -> object:
        cities = self._chats.completions.create_iterable(response_model=City, **self._asks)
        return [city.model_dump() async for city in cities]

    async def leave(self) -> None:
        cities = self._chats.completions.create_partial(response_model=City, **self._asks)
        await anext(cities)
        await cities.aclose()


def _failed(error: BaseException) -> object:
    """It raises an exception of its own from that of OpenAI's library."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, APIError):
        cause = cause.__cause__
    if cause is None:
        raise error
    told: dict[str, object] = {
        "kinds": [kind.__name__ for kind in type(cause).__mro__],
        "status": None,
        "wait": None,
    }
    if isinstance(cause, APIStatusError):
        told |= {"status": cause.status_code, "wait": cause.response.headers.get("retry-after")}
    return told


if __name__ == "__main__":
    for line in sys.stdin:
        case = json.loads(line)
        ask = case.pop("ask")
        try:
            told = {"made": asyncio.run(Asking(**case).made(ask))}
        except Exception as error:  # noqa: BLE001  (it is told, or raised again)
            told = {"failed": _failed(error)}
        sys.stdout.write(json.dumps(told) + os.linesep)
        sys.stdout.flush()
