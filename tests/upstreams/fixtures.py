from collections.abc import AsyncIterator

import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.http import HttpClient
from langroute.adapters.wire.upstream import HttpUpstream

from .gemini import GeminiUpstream
from .mistral import MistralUpstream
from .openai import OpenAIUpstream


@pytest.fixture
async def openai_upstream() -> AsyncIterator[OpenAIUpstream]:
    async with OpenAIUpstream() as upstream:
        yield upstream


@pytest.fixture
async def gemini_upstream() -> AsyncIterator[GeminiUpstream]:
    async with GeminiUpstream() as upstream:
        yield upstream


@pytest.fixture
async def mistral_upstream() -> AsyncIterator[MistralUpstream]:
    async with MistralUpstream() as upstream:
        yield upstream


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    """The client side: what asks the doubles."""
    async with HttpClient() as client:
        yield HttpUpstream(client, all_codecs())
