"""The providers' side of the golden files, as the vendors' own client libraries type it: what no
library reads, no provider has said."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from anthropic.types import message_create_params
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from mistralai.client import models as mistral
from pydantic import TypeAdapter

GOLDEN = Path(__file__).parent / "golden"
CLAUDES_EVENTS: TypeAdapter[Any] = TypeAdapter(BetaRawMessageStreamEvent)
CLAUDES_REQUESTS: TypeAdapter[Any] = TypeAdapter(
    message_create_params.MessageCreateParamsNonStreaming
)
# Kinds of events that the library skips, or reads apart.
OF_NO_MESSAGE = {"ping", "error", "later_invention"}
# Sent on purpose, to be refused by its name.
MISSPELT = {"mispelt"}


def golden(pattern: str) -> pytest.MarkDecorator:
    files = sorted(GOLDEN.glob(pattern))
    assert files
    return pytest.mark.parametrize("file", files, ids=lambda file: file.stem)


def events(case: dict[str, Any]) -> list[dict[str, Any]]:
    told = [event.split("data: ", 1)[1] for event in case["came"]]
    return [orjson.loads(data) for data in told if data != "[DONE]"]


@golden("anthropic/replies/*.json")
def test_claude_s_answers_are_messages(file: Path) -> None:
    message = BetaMessage.model_validate(orjson.loads(file.read_bytes())["came"])
    assert message.stop_reason


@golden("anthropic/streams/*.json")
def test_what_claude_streams_are_events(file: Path) -> None:
    for event in events(orjson.loads(file.read_bytes())):
        if event["type"] not in OF_NO_MESSAGE:
            assert CLAUDES_EVENTS.validate_python(event).type == event["type"]


@golden("anthropic/requests/*.json")
def test_what_claude_is_sent_is_a_request(file: Path) -> None:
    sent = orjson.loads(file.read_bytes())["sent"]
    assert CLAUDES_REQUESTS.validate_python({**sent, "stream": False})


@golden("mistral/replies/*.json")
def test_mistral_s_answers_are_responses(file: Path) -> None:
    came = orjson.loads(file.read_bytes())["came"]
    assert mistral.ChatCompletionResponse.model_validate(came).choices


@golden("mistral/streams/*.json")
def test_what_mistral_streams_are_chunks(file: Path) -> None:
    for event in events(orjson.loads(file.read_bytes())):
        if event["object"] != "error":
            assert mistral.CompletionChunk.model_validate(event).choices


@golden("mistral/requests/*.json")
def test_what_mistral_is_sent_is_a_request(file: Path) -> None:
    sent = orjson.loads(file.read_bytes())["sent"]
    assert mistral.ChatCompletionRequest.model_validate(sent).messages
    assert sent.keys() - mistral.ChatCompletionRequest.model_fields.keys() <= MISSPELT
