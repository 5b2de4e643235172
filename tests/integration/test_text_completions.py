"""Text completions over real HTTP: of a provider that has chats only, told by OpenAI's client."""

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from gateway_fixtures import Scene
from langroute.domain.usage import TokenUsage


def client_of(scene: Scene) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{scene.running.url}/v1", api_key=scene.key, max_retries=0)


@pytest.mark.shows("text completions", provider="mistral")
async def test_a_prompt_is_answered_by_a_provider_of_chats(scene: Scene) -> None:
    async with client_of(scene) as client:
        completion = await client.completions.create(
            model="mistral-small-latest", prompt="Once upon", max_tokens=9
        )
    (choice,) = completion.choices
    assert (choice.text, choice.finish_reason) == ("You said: Once upon", "stop")
    assert completion.object == "text_completion"
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0
    (sent,) = scene.mistral.seen
    assert sent.body["messages"] == [{"role": "user", "content": "Once upon"}]
    assert sent.body["max_tokens"] == 9
    (entry,) = await scene.running.entries()
    assert TokenUsage(**entry["usage"]).total == completion.usage.total_tokens


@pytest.mark.parametrize("asks_for_usage", [True, False])
async def test_a_prompt_is_answered_piece_by_piece(scene: Scene, asks_for_usage: bool) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if asks_for_usage else {}
    async with client_of(scene) as client:
        stream = await client.completions.create(
            model="mistral-small-latest", prompt="Once upon", stream=True, **options
        )
        pieces = [piece async for piece in stream]
    text = "".join(piece.choices[0].text for piece in pieces if piece.choices)
    assert text == "You said: Once upon"
    assert sum(piece.usage is not None for piece in pieces) == int(asks_for_usage)


async def test_what_is_at_fault_is_named(scene: Scene) -> None:
    async with client_of(scene) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.completions.create(model="mistral-small-latest", prompt=["one", "two"])
    assert caught.value.param == "prompt"
