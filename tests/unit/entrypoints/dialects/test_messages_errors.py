"""Errors as Anthropic's clients read them."""

import pytest

from langroute.entrypoints.http.dialects.messages.errors import error_body
from langroute.entrypoints.http.errors import Answer

PAST_CONTEXT = Answer(status=400, type="invalid_request_error", code="context_length_exceeded")


def test_a_prompt_past_the_context_is_told_in_anthropics_words() -> None:
    body = error_body("request (3086 tokens) exceeds the available context size", PAST_CONTEXT)
    assert body["error"] == {
        "type": "invalid_request_error",
        "message": "prompt is too long: request (3086 tokens) exceeds the available context size",
    }


@pytest.mark.parametrize(
    "own",
    [
        "prompt is too long: 208310 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000",
    ],
)
def test_anthropics_own_words_are_left_alone(own: str) -> None:
    assert error_body(own, PAST_CONTEXT)["error"]["message"] == own


def test_other_errors_keep_their_message() -> None:
    answer = Answer(status=400, type="invalid_request_error", code="invalid_value")
    assert error_body("No.", answer)["error"]["message"] == "No."
