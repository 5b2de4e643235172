"""python run.py '[[CASE, MODEL, WAY, KEY], …]': prints as JSON what instructor made of the answers.
All in one process, because its libraries take seconds to load."""

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from openai import APIStatusError, OpenAI
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


class Asked:
    def __init__(self, model: str, way: str, key: str) -> None:
        client = OpenAI(
            base_url=f"{os.environ['GATEWAY_URL']}/v1",
            api_key=key,
            max_retries=0,
        )
        self._chats = instructor.from_openai(client, mode=instructor.Mode[way]).chat.completions
        self._asks = {"model": model, "messages": [{"role": "user", "content": "Hello there"}]}

    def whole(self) -> object:
        return self._chats.create(response_model=City, **self._asks).model_dump()

    def partial(self) -> object:
        cities = self._chats.create_partial(response_model=City, **self._asks)
        return [city.model_dump() for city in cities]

    def again(self) -> object:
        city = self._chats.create(response_model=NamedCity, max_retries=2, **self._asks)
        return city.model_dump()

    def failure(self) -> object:
        try:
            self._chats.create(response_model=City, max_retries=1, **self._asks)
        except Exception as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, APIStatusError):
                cause = cause.__cause__
            if cause is not None:
                wait = cause.response.headers.get("retry-after")
                return {"kind": type(cause).__name__, "status": cause.status_code, "wait": wait}
            raise
        return None


if __name__ == "__main__":
    told: list[object] = []
    for case, *how in json.loads(sys.argv[1]):
        run: Callable[[], object] = getattr(Asked(*how), case)
        told.append(run())
    sys.stdout.write(json.dumps(told))
