"""What LangChain has more ways for than one."""

import json
from typing import Any

import openai
import pytest
from client import HELLO, PARIS, City
from langchain_client import LangChain

from every_upstream import MODELS, OF_EACH_PROVIDER, EveryUpstream

pytestmark = pytest.mark.usefixtures("loopback_only")


def client_of(upstreams: EveryUpstream, provider: str = "openai") -> LangChain:
    return LangChain(url=upstreams.running.url, key=upstreams.key, model=MODELS[provider])


@OF_EACH_PROVIDER
@pytest.mark.parametrize("method", ["json_mode", "function_calling"])
async def test_an_object_is_read_in_other_ways(
    upstreams: EveryUpstream, provider: str, method: Any
) -> None:
    answer = json.dumps(PARIS)
    if method == "function_calling":
        function = {"name": "City", "arguments": answer}
        call = {"id": "abcdefghi", "type": "function", "function": function}
        upstreams.doubles[provider].say("", tool_calls=[call])
    else:
        upstreams.doubles[provider].say(answer)
    reader = client_of(upstreams, provider).chats().with_structured_output(City, method=method)
    assert await reader.ainvoke("Where is Paris? Answer in JSON.") == City(**PARIS)


async def test_a_full_context_is_told_as_such(upstreams: EveryUpstream) -> None:
    message = "This model's maximum context length is 128000 tokens."
    upstreams.doubles["openai"].fail(
        status=400, message=message, code="context_length_exceeded", param="messages"
    )
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        await client_of(upstreams).chats().ainvoke(HELLO)
