"""What a target has answered: all of it, or the beginning of a stream."""

import asyncio
from dataclasses import dataclass

from ...domain.errors import ProviderBrokeOff
from ...domain.estimates import likely_tokens, token_bound
from ...domain.usage import TokenUsage
from ..ports.upstream import ChatChunk, ChatReply, ChunkStream, OperationReply


@dataclass(frozen=True, slots=True)
class Begun:
    """An answer whose first chunk is there."""

    first: ChatChunk
    chunks: ChunkStream


async def begun(chunks: ChunkStream, provider: str) -> Begun:
    """Returns once the first chunk is there: until then a failure is a real error, and another
    target may answer; afterwards none may, or the caller would read two answers."""
    try:
        return Begun(first=await anext(chunks), chunks=chunks)
    except StopAsyncIteration as error:
        await chunks.aclose()
        raise ProviderBrokeOff("The provider sent an empty stream.", provider=provider) from error
    except BaseException:
        await asyncio.shield(chunks.aclose())
        raise


async def hang_up(answer: object) -> None:
    if isinstance(answer, Begun):
        await answer.chunks.aclose()


def told_usage(answer: object) -> TokenUsage | None:
    """What the provider says that it has used; of a stream, so far."""
    if isinstance(answer, Begun):
        return answer.first.usage
    return answer.usage if isinstance(answer, ChatReply | OperationReply) else None


def said(answer: object) -> int:
    """How many tokens can be seen, for a provider that told no usage."""
    if isinstance(answer, Begun):
        return likely_tokens(answer.first.text_bytes)
    if not isinstance(answer, ChatReply):
        return 0
    body = answer.body
    seen = body.get("choices") or body.get("output") or body.get("content") or []
    return likely_tokens(token_bound(seen))
