"""A field that a provider refuses is named as the caller wrote it. No public thread shows each of
them refused: what is shown stands in the golden files."""

from typing import Any

import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.domain.providers import ProviderKind


def of_claude(field: str) -> dict[str, Any]:
    error = {"type": "invalid_request_error", "message": f"{field}: Input should be valid"}
    return {"type": "error", "error": error}


def of_google(field: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.BadRequest"
    details = [{"@type": kind, "fieldViolations": [{"field": field, "description": "No."}]}]
    return {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": details}}


def of_mistral(field: str) -> dict[str, Any]:
    return {"detail": [{"type": "missing", "loc": ["body", *field.split(".")], "msg": "No."}]}


@pytest.mark.parametrize(
    ("kind", "complaint", "named"),
    [
        ("anthropic", of_claude("stop_sequences.0"), "stop.0"),
        ("anthropic", of_claude("system.1.text"), "messages.1.text"),
        ("anthropic", of_claude("output_config.format"), "response_format.format"),
        ("anthropic", of_claude("temperature"), "temperature"),
        ("gemini", of_google("generation_config.stop_sequences"), "stop"),
        ("gemini", of_google("generation_config.max_output_tokens"), "max_completion_tokens"),
        ("gemini", of_google("generation_config.temperature"), "temperature"),
        ("gemini", of_google("contents[2].parts[0]"), "messages"),
        ("gemini", of_google("system_instruction"), "messages"),
        ("mistral", of_mistral("random_seed"), "seed"),
        ("mistral", of_mistral("output_dimension"), "dimensions"),
        ("mistral", of_mistral("messages.0.user.content"), "messages.0.content"),
        ("mistral", of_mistral("temperature"), "temperature"),
    ],
)
def test_a_refused_field_is_named_as_the_caller_wrote_it(
    kind: str, complaint: dict[str, Any], named: str
) -> None:
    assert all_codecs()[ProviderKind(kind)].complaint(complaint).param == named
