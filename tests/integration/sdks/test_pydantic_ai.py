"""What Pydantic AI has more ways for than one."""

import json
from typing import Any

import pytest
from client import PARIS, City
from pydantic_ai import PromptedOutput, ToolOutput
from pydantic_ai_client import PydanticAI

from every_upstream import MODELS, OF_EACH_PROVIDER, EveryUpstream

pytestmark = pytest.mark.usefixtures("loopback_only")


@OF_EACH_PROVIDER
@pytest.mark.parametrize("way", [ToolOutput, PromptedOutput], ids=["tool", "prompt"])
async def test_an_object_is_read_in_other_ways(
    upstreams: EveryUpstream, provider: str, way: Any
) -> None:
    answer = json.dumps(PARIS)
    if way is ToolOutput:
        function = {"name": "final_result", "arguments": answer}
        call = {"id": "abcdefghi", "type": "function", "function": function}
        upstreams.doubles[provider].say("", tool_calls=[call])
    else:
        upstreams.doubles[provider].say(answer)
    client = PydanticAI(url=upstreams.running.url, key=upstreams.key, model=MODELS[provider])
    wanted: Any = City
    run = await client.agent(output_type=way(wanted)).run("Where is Paris?")
    await client.close()
    assert run.output == City(**PARIS)
