"""What is asked for beside chats, by OpenAI's own client and by hand, through a running gateway."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest
from mistralai.client import Mistral
from openai import AsyncOpenAI

from gateway_fixtures import Answered, Scene, scene_on
from langroute.domain.money import Money
from upstreams.openai_operations import PICTURE
from upstreams.operations import DIMENSIONS, SOUND, vector
from upstreams.turn import Turn

RECORDING = b"RIFF\r\n--x\r\n\x00\xff" + bytes(range(256)) * 10
AT_OPENAI = (
    "text-embedding-3-small",
    "omni-moderation-latest",
    "gpt-image-2",
    "tts-1",
    "whisper-1",
)
AT_MISTRAL = ("mistral-embed", "mistral-moderation-latest", "voxtral-mini-latest")
BY_HAND = "/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hello there"}


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    async with scene_on(database_url) as scene:
        for provider, models in (("openai", AT_OPENAI), ("mistral", AT_MISTRAL)):
            for model in models:
                await route(scene, model, provider)
        await price(scene, "openai", "text-embedding-3-small", input="0.02", output="0")
        await price(scene, "openai", "gpt-image-2", input="5", image_input="8", output="30")
        yield scene


async def route(scene: Scene, model: str, *providers: str) -> None:
    targets = [
        {"provider": provider, "model": model, "order": order}
        for order, provider in enumerate(providers)
    ]
    defined = await scene.running.call("PUT", f"/api/routes/{model}", {"targets": targets})
    assert defined.status == 200, defined


async def price(scene: Scene, provider: str, model: str, **rates: str) -> None:
    body = {"provider": provider, "model": model, **rates}
    assert (await scene.running.call("POST", "/api/prices", body)).status == 201


def client_of(scene: Scene, *, prefix: str = "/v1") -> Any:
    """Untyped: the tests are of what it does, and send what its types would not let through."""
    return AsyncOpenAI(base_url=f"{scene.running.url}{prefix}", api_key=scene.key, max_retries=0)


async def posted(
    scene: Scene, path: str, form: aiohttp.FormData | bytes, **headers: str
) -> Answered:
    headers = {"Authorization": f"Bearer {scene.key}", **headers}
    async with scene.running.http.post(path, data=form, headers=headers) as response:
        return await Answered.of(response)


def recording_form(**fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData({"model": "whisper-1", **fields})
    form.add_field("file", RECORDING, filename="a.wav", content_type="audio/wav")
    return form


@pytest.mark.shows("embeddings", client="OpenAI (Python)")
@pytest.mark.shows("embeddings", provider="openai")
@pytest.mark.parametrize("knows_base64", [True, False])
@pytest.mark.parametrize("encoding", [None, "base64", "float"])
async def test_openais_client_is_given_the_encoding_that_it_asks_for(
    scene: Scene, encoding: str | None, knows_base64: bool
) -> None:
    scene.openai.knows_base64 = knows_base64
    texts = ["one two three", "four"]
    asked = {} if encoding is None else {"encoding_format": encoding}
    async with client_of(scene) as client:
        made = await client.embeddings.create(
            model="text-embedding-3-small", input=texts, dimensions=6, user="u", **asked
        )
    (seen,) = scene.openai.operations
    assert seen.path == "/v1/embeddings"
    # The client asks for base64 by itself, and decodes it.
    body = {"model": "text-embedding-3-small", "input": texts, "dimensions": 6, "user": "u"}
    assert seen.body == {**body, "encoding_format": encoding or "base64"}
    assert [item.index for item in made.data] == [0, 1]
    for text, item in zip(texts, made.data, strict=True):
        got = item.embedding
        if encoding == "base64":
            assert isinstance(got, str)
            assert base64.b64decode(got)
        else:
            assert got == vector(text, 6)
    assert made.usage.prompt_tokens == made.usage.total_tokens == 4


async def test_numbers_are_the_default(scene: Scene) -> None:
    answered = await scene.running.call("POST", *BY_HAND, key=scene.key)
    assert answered.body.pop("id").startswith("embd-")
    assert answered.body == {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": 0,
                "embedding": vector("Hello there", DIMENSIONS),
            }
        ],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }


async def test_embeddings_are_billed_by_their_input_and_leave_a_receipt(scene: Scene) -> None:
    answered = await scene.running.call("POST", *BY_HAND, key=scene.key)
    cost = Money(2 * 20_000)
    assert answered.headers["x-langroute-cost"] == str(cost)
    assert answered.headers["x-langroute-provider"] == "openai"
    assert answered.headers["x-langroute-model"] == "text-embedding-3-small"
    assert answered.headers["x-langroute-attempts"] == "openai/text-embedding-3-small=ok"
    assert answered.headers["x-ratelimit-remaining-requests"] == "59"
    assert answered.headers["x-request-id"].startswith("req_")
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "succeeded"
    assert entry["usage"]["input"] == 2
    assert entry["usage"]["output"] == 0
    assert entry["cost_usd"] == str(cost)
    assert entry["priced"]
    assert not entry["estimated"]


@pytest.mark.parametrize("given", [[5, 6, 7], [[1, 2], [3]], "text", ["a", "b", "c"]])
async def test_texts_and_tokens_pass_through_as_they_are(scene: Scene, given: Any) -> None:
    async with client_of(scene) as client:
        made = await client.embeddings.create(model="text-embedding-3-small", input=given)
    assert scene.openai.operations[0].body["input"] == given
    assert len(made.data) == (len(given) if given in ([[1, 2], [3]], ["a", "b", "c"]) else 1)


@pytest.mark.shows("embeddings", client="OpenAI (Python)", provider="mistral")
@pytest.mark.shows("embeddings", provider="mistral")
@pytest.mark.parametrize("encoding", [None, "base64", "float"])
async def test_mistral_embeds_for_openais_client(scene: Scene, encoding: str | None) -> None:
    asked = {} if encoding is None else {"encoding_format": encoding}
    async with client_of(scene) as client:
        raw = await client.embeddings.with_raw_response.create(
            model="mistral-embed", input=["one two", "three"], dimensions=5, user="u", **asked
        )
        made = raw.parse()
    (seen,) = scene.mistral.operations
    assert seen.body == {
        "model": "mistral-embed",
        "input": ["one two", "three"],
        "output_dimension": 5,
    }
    assert raw.headers["x-langroute-dropped"] == "user"
    numbers = [
        item.embedding
        if encoding != "base64"
        else memoryview(base64.b64decode(item.embedding)).cast("f").tolist()
        for item in made.data
    ]
    assert numbers == [vector("one two", 5), vector("three", 5)]
    assert made.usage.prompt_tokens == 3


@pytest.mark.shows("embeddings", client="Mistral (Python)")
@pytest.mark.parametrize("model", ["mistral-embed", "text-embedding-3-small"])
async def test_mistrals_client_embeds_with_every_provider(scene: Scene, model: str) -> None:
    mistral: Any = Mistral(server_url=scene.running.url, api_key=scene.key)
    async with mistral as client:
        made = await client.embeddings.create_async(model=model, inputs=["one two", "three"])
    assert [item.embedding for item in made.data] == [
        vector("one two", DIMENSIONS),
        vector("three", DIMENSIONS),
    ]
    assert made.usage.total_tokens == 3


async def test_mistrals_client_judges_and_transcribes(scene: Scene) -> None:
    mistral: Any = Mistral(server_url=scene.running.url, api_key=scene.key)
    async with mistral as client:
        judged = await client.classifiers.moderate_async(
            model="mistral-moderation-latest", inputs=["My phone is 1"]
        )
        heard = await client.audio.transcriptions.complete_async(
            model="voxtral-mini-latest",
            file={"content": RECORDING, "file_name": "a.wav"},
            context_bias=["LangRoute", "Voxtral"],
        )
    assert judged.results[0].categories["pii"]
    assert heard.text == f"{len(RECORDING)} bytes"
    assert scene.mistral.operations[1].fields["context_bias"] == ["LangRoute", "Voxtral"]


async def test_what_mistral_refuses_is_named_as_the_caller_names_it(scene: Scene) -> None:
    async with client_of(scene) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.embeddings.create(model="mistral-embed", input="a", dimensions=10**6)
    assert caught.value.param == "dimensions"


@pytest.mark.shows("moderations", provider="openai")
@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_moderations_need_no_model_and_cost_nothing(scene: Scene, prefix: str) -> None:
    parts = [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    async with client_of(scene, prefix=prefix) as client:
        judged = await client.moderations.create(input=parts)
    assert judged.results[0].flagged is False
    assert scene.openai.operations[0].body == {"model": "omni-moderation-latest", "input": parts}
    (entry,) = await scene.running.entries()
    assert set(entry["usage"].values()) == {0}
    assert entry["cost_usd"] == "0.00"
    assert entry["priced"]


@pytest.mark.shows("moderations", provider="mistral")
async def test_mistrals_moderations_say_whether_they_flag(scene: Scene) -> None:
    async with client_of(scene) as client:
        judged = await client.moderations.create(
            model="mistral-moderation-latest", input=["My phone is 1", "Hello"]
        )
    assert [result.flagged for result in judged.results] == [True, False]


@pytest.mark.shows("images", provider="openai")
async def test_pictures_are_made_and_billed_by_their_tokens(scene: Scene) -> None:
    async with client_of(scene) as client:
        raw = await client.images.with_raw_response.generate(
            model="gpt-image-2", prompt="A fish", n=2, size="1024x1024", quality="low"
        )
    assert scene.openai.operations[0].body == {
        "model": "gpt-image-2",
        "prompt": "A fish",
        "n": 2,
        "size": "1024x1024",
        "quality": "low",
    }
    made = raw.parse()
    assert [base64.b64decode(one.b64_json) for one in made.data] == [PICTURE, PICTURE]
    assert made.usage.total_tokens == 150
    cost = Money(10 * 5_000_000 + 40 * 8_000_000 + 100 * 30_000_000)
    assert raw.headers["x-langroute-cost"] == str(cost)
    (entry,) = await scene.running.entries()
    used = {name: count for name, count in entry["usage"].items() if count}
    assert used == {"input": 10, "image_input": 40, "image_output": 100}
    assert entry["units"] == {"images:low:1024x1024": 2}
    (line,) = (await scene.running.call("GET", "/api/spend")).body["data"]
    assert (line["prompt_tokens"], line["completion_tokens"]) == (50, 100)


async def test_what_is_drawn_has_a_price_of_its_own(scene: Scene) -> None:
    rates = {"input": "5", "output": "10", "image_output": "32"}
    await price(scene, "openai", "gpt-image-2", **rates)
    async with client_of(scene) as client:
        raw = await client.images.with_raw_response.generate(model="gpt-image-2", prompt="A fish")
    # An image that is read costs what text does, where its price is not told.
    cost = Money(50 * 5_000_000 + 100 * 32_000_000)
    assert raw.headers["x-langroute-cost"] == str(cost)


@pytest.mark.shows("image edits", provider="openai")
async def test_files_arrive_byte_for_byte_in_their_order_and_by_their_names(scene: Scene) -> None:
    pictures = [
        ('a "quoted" näme.png', PICTURE, "image/png"),
        ("b.webp", RECORDING, "image/webp"),
    ]
    asked: dict[str, Any] = {
        "model": "gpt-image-2",
        "image": pictures,
        "mask": ("mask.png", b"", "image/png"),
        "prompt": "Two lines\r\nand ünïcode",
        "n": 1,
    }
    async with client_of(scene) as client:
        await client.images.edit(**asked)
    url, secret = scene.openai.base_url, scene.openai.credential
    async with AsyncOpenAI(base_url=url, api_key=secret) as client:
        await client.images.edit(**asked)
    seen, without_gateway = scene.openai.operations
    assert seen.path == without_gateway.path == "/v1/images/edits"
    assert seen.parts == without_gateway.parts
    assert [(file.name, file.data, file.content_type) for file in seen.files] == [
        ("image[]", PICTURE, "image/png"),
        ("image[]", RECORDING, "image/webp"),
        ("mask", b"", "image/png"),
    ]


async def test_a_variation_and_an_edit_by_reference_pass_through(scene: Scene) -> None:
    # OpenAI has retired it; others have not.
    async with client_of(scene) as client:
        with pytest.warns(DeprecationWarning, match="deprecated"):
            await client.images.create_variation(model="gpt-image-2", image=("a.png", PICTURE))
    edit = {
        "model": "gpt-image-2",
        "prompt": "x",
        "images": [{"image_url": "data:image/png;base64,AA=="}],
    }
    answered = await scene.running.call("POST", "/v1/images/edits", edit, key=scene.key)
    assert answered.status == 200
    variation, by_reference = scene.openai.operations
    assert variation.files[0].data == PICTURE
    assert by_reference.body == edit


@pytest.mark.shows("speech", provider="openai")
async def test_speech_comes_as_the_bytes_that_it_is(scene: Scene) -> None:
    async with client_of(scene) as client:
        spoken = await client.audio.speech.create(
            model="tts-1", input="Hello", voice="alloy", response_format="mp3"
        )
    assert spoken.content == SOUND
    assert spoken.response.headers["content-type"] == "audio/mpeg"
    assert spoken.response.headers["x-langroute-provider"] == "openai"
    assert scene.openai.operations[0].body == {
        "model": "tts-1",
        "input": "Hello",
        "voice": "alloy",
        "response_format": "mp3",
    }
    (entry,) = await scene.running.entries()
    assert not entry["priced"]
    assert entry["estimated"]


@pytest.mark.shows("transcriptions", provider="openai")
async def test_a_recording_is_transcribed(scene: Scene) -> None:
    await price(scene, "openai", "whisper-1", input="1", output="2", audio_input="3")
    async with client_of(scene) as client:
        raw = await client.audio.transcriptions.with_raw_response.create(
            model="whisper-1",
            file=("speech.wav", RECORDING, "audio/wav"),
            language="en",
            include=["logprobs"],
            timestamp_granularities=["word", "segment"],
        )
    (seen,) = scene.openai.operations
    assert seen.files[0].data == RECORDING
    assert (seen.files[0].filename, seen.files[0].content_type) == ("speech.wav", "audio/wav")
    assert seen.fields == {
        "model": ["whisper-1"],
        "language": ["en"],
        "include[]": ["logprobs"],
        "timestamp_granularities[]": ["word", "segment"],
    }
    assert raw.parse().text == f"{len(RECORDING)} bytes"
    cost = Money(4 * 1_000_000 + 10 * 3_000_000 + 6 * 2_000_000)
    assert raw.headers["x-langroute-cost"] == str(cost)
    (entry,) = await scene.running.entries()
    assert entry["usage"]["audio_input"] == 10


@pytest.mark.shows("transcriptions", "translations", provider="openai")
@pytest.mark.parametrize(
    ("response_format", "content_type", "text"),
    [
        ("text", "text/plain", "2573 bytes\n"),
        ("vtt", "text/vtt", "WEBVTT\n\n2573 bytes\n"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/audio/translations"])
async def test_subtitles_come_as_text(
    scene: Scene, path: str, response_format: str, content_type: str, text: str
) -> None:
    answered = await posted(scene, path, recording_form(response_format=response_format))
    assert (answered.status, answered.body) == (200, text)
    assert answered.headers["content-type"].startswith(content_type)
    assert "x-langroute-attempts" in answered.headers
    assert scene.openai.operations[0].path == f"/v1{path.removeprefix('/v1')}"


@pytest.mark.shows("transcriptions", provider="mistral")
async def test_mistral_transcribes_for_openais_client(scene: Scene) -> None:
    async with client_of(scene) as client:
        raw = await client.audio.transcriptions.with_raw_response.create(
            model="voxtral-mini-latest",
            file=("a.wav", RECORDING),
            response_format="verbose_json",
            language="en",
        )
        heard = raw.parse()
    (seen,) = scene.mistral.operations
    assert seen.files[0].data == RECORDING
    assert seen.fields == {
        "model": ["voxtral-mini-latest"],
        "timestamp_granularities": ["segment"],
    }
    assert raw.headers["x-langroute-dropped"] == "language"
    assert (heard.text, heard.duration) == (f"{len(RECORDING)} bytes", 3)
    assert (heard.segments[0].id, heard.segments[0].end) == (0, 2.5)
    (entry,) = await scene.running.entries()
    assert (entry["usage"]["input"], entry["usage"]["audio_input"]) == (4, 375)
    assert entry["usage"]["output"] == 6


async def test_mistral_is_told_where_a_recording_is(scene: Scene) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("model", "voxtral-mini-latest")
    form.add_field("file_url", "https://example.test/a.mp3")
    scene = await scene.without_token_limit()
    answered = await posted(scene, "/v1/audio/transcriptions", form)
    assert answered.body["text"] == "https://example.test/a.mp3"
    assert scene.mistral.operations[0].headers["Content-Type"].startswith("multipart/form-data")


async def test_a_provider_that_has_no_such_thing_is_passed_over(scene: Scene) -> None:
    await route(scene, "gpt-image-2", "mistral", "openai")
    async with client_of(scene) as client:
        raw = await client.images.with_raw_response.generate(model="gpt-image-2", prompt="x")
    attempts = "mistral/gpt-image-2=unsupported, openai/gpt-image-2=ok"
    assert raw.headers["x-langroute-attempts"] == attempts
    assert scene.mistral.seen == []


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/v1/images/generations", {"prompt": "x"}, "images/generations"),
        ("/v1/embeddings", {"input": [1, 2]}, "tokens' numbers"),
        ("/v1/moderations", {"input": [{"type": "image_url"}]}, "pictures"),
    ],
)
async def test_what_nobody_offers_is_not_implemented(
    scene: Scene, path: str, body: dict[str, Any], said: str
) -> None:
    body["model"] = "mistral-embed"
    answered = await scene.running.call("POST", path, body, key=scene.key)
    assert answered.status == 501
    assert answered.body["error"]["code"] == "unsupported_operation"
    assert said in answered.body["error"]["message"]
    assert answered.headers["x-should-retry"] == "false"
    assert scene.mistral.seen == []


async def test_the_next_target_answers_when_the_first_one_fails(scene: Scene) -> None:
    await route(scene, "embed", "openai", "mistral")
    scene.openai.fail(status=503)
    async with client_of(scene) as client:
        raw = await client.embeddings.with_raw_response.create(model="embed", input="one two")
    assert raw.parse().data[0].embedding == vector("one two", DIMENSIONS)
    assert raw.headers["x-langroute-attempts"] == "openai/embed=503, mistral/embed=ok"
    assert scene.openai.operations[0].body["input"] == "one two"


async def test_a_recording_is_sent_anew_to_the_next_target(scene: Scene) -> None:
    await route(scene, "hear", "openai", "mistral")
    scene.openai.fail(status=500)
    async with client_of(scene) as client:
        heard = await client.audio.transcriptions.create(model="hear", file=("a.wav", RECORDING))
    assert heard.text == f"{len(RECORDING)} bytes"
    assert scene.mistral.operations[0].files[0].data == RECORDING


@pytest.mark.parametrize(
    "data",
    [
        b'{"data": []}',
        b'{"data": [{"embedding": "?"}]}',
        b'{"data": [{"embedding": [null]}]}',
        b"<html>",
    ],
)
async def test_what_is_no_embedding_is_the_providers_failure(scene: Scene, data: bytes) -> None:
    scene.openai.will(Turn(raw=data))
    answered = await scene.running.call("POST", *BY_HAND, key=scene.key)
    assert answered.status == 502
    assert answered.body["error"]["code"] == "provider_broke_off"
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "failed"


async def test_what_no_embedding_took_is_paid_for_where_that_is_told(scene: Scene) -> None:
    """Or who asks for vectors that cannot be read would have them for nothing."""
    usage = b'{"prompt_tokens": 7, "total_tokens": 7}'
    scene.openai.will(Turn(raw=b'{"data": [{"embedding": [[1, 2]]}], "usage": %s}' % usage))
    answered = await scene.running.call("POST", *BY_HAND, key=scene.key)
    assert answered.status == 502
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["provider"]) == ("failed", "openai")
    assert entry["usage"]["input"] == sum(entry["usage"].values()) == 7
    assert not entry["estimated"]


async def test_a_page_is_not_taken_for_speech(scene: Scene) -> None:
    scene.openai.will(Turn(raw=b"<html>Sign in</html>", content_type="text/html; charset=utf-8"))
    body = {"model": "tts-1", "input": "x"}
    answered = await scene.running.call("POST", "/v1/audio/speech", body, key=scene.key)
    assert answered.status == 502


async def test_a_content_type_that_cannot_be_said_on_is_none(scene: Scene) -> None:
    scene.openai.will(Turn(raw=SOUND, content_type="audio/mpég"))
    async with client_of(scene) as client:
        spoken = await client.audio.speech.create(model="tts-1", input="x", voice="y")
    assert spoken.content == SOUND
    assert spoken.response.headers["content-type"] == "application/octet-stream"


async def test_requests_a_minute_are_limited(scene: Scene) -> None:
    key = await scene.running.new_key(requests_per_minute=1)
    saved = {"virtualKey": key, "openaiKey": scene.openai.credential}
    await scene.running.call("POST", "/api/save-keys", saved)
    assert (await scene.running.call("POST", *BY_HAND, key=key)).status == 200
    refused = await scene.running.call("POST", *BY_HAND, key=key)
    assert refused.status == 429
    assert refused.body["error"]["type"] == "requests"
    assert refused.headers["x-ratelimit-limit-requests"] == "1"
    assert len(scene.openai.seen) == 1


async def test_tokens_a_minute_are_limited_by_the_input(scene: Scene) -> None:
    key = await scene.running.new_key(tokens_per_minute=100)
    saved = {"virtualKey": key, "openaiKey": scene.openai.credential}
    await scene.running.call("POST", "/api/save-keys", saved)
    path, body = BY_HAND
    fits = await scene.running.call("POST", path, {**body, "input": [10**6] * 90}, key=key)
    assert fits.status == 200
    refused = await scene.running.call("POST", path, {**body, "input": "x" * 101}, key=key)
    assert refused.status == 429
    assert refused.body["error"]["type"] == "tokens"


async def test_a_hang_up_stops_the_provider(scene: Scene) -> None:
    gate = scene.openai.hold()
    headers = {"Authorization": f"Bearer {scene.key}"}
    path, body = BY_HAND
    async with aiohttp.ClientSession(scene.running.url) as http:
        asked = http.post(path, json=body, headers=headers)
        task = asyncio.ensure_future(asked)
        await gate.reached.wait()
        task.cancel()
    await scene.openai.seen[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "client_cancelled"
