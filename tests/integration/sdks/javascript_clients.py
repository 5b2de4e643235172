"""OpenAI's library for JavaScript, and Vercel's AI SDK, on Node."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from client import OF_OPENAI, Called, Said
from worker import ElsewhereClient, Worker, worker

from javascript import LOOPBACK_NODE, installed

_SCRIPTS = Path(__file__).parent / "node"


class OnNode(ElsewhereClient):
    library: ClassVar[str]
    way: ClassVar[str]

    @staticmethod
    @asynccontextmanager
    async def starts(config: pytest.Config) -> AsyncIterator[Worker]:
        folder = await installed(config, _SCRIPTS)
        async with worker(*LOOPBACK_NODE, "run.mjs", cwd=folder) as node:
            yield node

    async def _ask(self, ask: str, **more: Any) -> Any:
        gateway = {"url": self.url, "key": self.key, "model": self.model}
        return await self.worker.ask(library=self.library, way=self.way, ask=ask, **gateway, **more)

    async def chat(self) -> Said:
        return Said(**await self._ask("chat"))

    async def stream(self, *, usage: bool) -> Said:
        return Said(**await self._ask("stream", usage=usage))

    async def tool(self, *, streams: bool) -> Called:
        return Called(**await self._ask("tool", streams=streams))

    async def read_object(self) -> Any:
        return await self._ask("read_object")

    async def leave(self) -> None:
        await self._ask("leave")


class _Embeds(OnNode):
    async def embed(self) -> Any:
        return await self._ask("embed")


class NodeChats(_Embeds):
    library, way = "openai", "chats"
    kinds = OF_OPENAI

    async def models(self) -> Any:
        return await self._ask("models")


class NodeResponses(OnNode):
    library, way = "openai", "responses"
    kinds = OF_OPENAI
    always_tells_usage = True


# It has one exception for all statuses.
_OF_AI: Mapping[int, str] = dict.fromkeys((400, 401, 404, 429, 502), "APICallError")


class AICompatible(_Embeds):
    library, way = "ai", "compatible"
    kinds = _OF_AI


class AIChats(_Embeds):
    library, way = "ai", "chat"
    kinds = _OF_AI
    always_tells_usage = True


class AIResponses(OnNode):
    library, way = "ai", "responses"
    kinds = _OF_AI
    always_tells_usage = True
