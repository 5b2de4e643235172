"""What Google's API refuses, as far as the gateway can get it wrong.

https://ai.google.dev/api/generate-content and https://ai.google.dev/api/caching
"""

from collections.abc import Iterator, Mapping
from typing import Any

REQUEST_FIELDS = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig"}
    | {"cachedContent", "serviceTier"}
)
GENERATION_FIELDS = frozenset(
    {"temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed"}
    | {"responseLogprobs", "logprobs", "presencePenalty", "frequencyPenalty", "responseMimeType"}
    | {"responseSchema", "responseJsonSchema", "responseModalities", "mediaResolution"}
    | {"speechConfig", "thinkingConfig", "imageConfig", "enableEnhancedCivicAnswers"}
    | {"audioTranscriptionConfig"}
)
PART_FIELDS = frozenset(
    {"text", "inlineData", "fileData", "functionCall", "functionResponse", "thought"}
    | {"thoughtSignature", "executableCode", "codeExecutionResult", "videoMetadata"}
    | {"mediaResolution", "toolCall", "toolResponse"}
)
_ROLES = frozenset({"user", "model"})


def faults(body: Mapping[str, Any], *, signs: bool = True, strict: bool = False) -> Iterator[str]:
    """What is wrong with a request; `signs` for a model that insists on signatures, `strict` for
    the newest."""
    if strict:
        yield from _strict_faults(body)
    yield from _unknown(body, REQUEST_FIELDS, "")
    config = body.get("generationConfig", {})
    yield from _unknown(config, GENERATION_FIELDS, " at 'generation_config'")
    if {"thinkingLevel", "thinkingBudget"} <= config.get("thinkingConfig", {}).keys():
        yield "You can only set only one of thinking budget and thinking level."
    if not body.get("contents"):
        yield "* GenerateContentRequest.contents: contents is not specified"
    before: Mapping[str, Any] = {}
    for content in body.get("contents", []):
        yield from _content_faults(content, before)
        if signs:
            yield from _signature_faults(content)
        before = content
    for part in body.get("systemInstruction", {}).get("parts", []):
        yield from _unknown(part, PART_FIELDS, " at 'system_instruction.parts'")


def _strict_faults(body: Mapping[str, Any]) -> Iterator[str]:
    """https://ai.google.dev/gemini-api/docs/generate-content/whats-new-gemini-3.6"""
    if (body.get("contents") or [{}])[-1].get("role") == "model":
        yield "Requests ending with a model turn are not supported."
    config = body.get("generationConfig", {})
    if config.get("presencePenalty") or config.get("frequencyPenalty"):
        yield "Penalty is not enabled for this model"
    if config.keys() & {"temperature", "topP", "topK"}:
        yield "Sampling parameters are not supported."
    if config.get("candidateCount", 1) > 1:
        yield "Multiple candidates is not enabled for this model"


def _content_faults(content: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    if content.get("role") not in _ROLES:
        yield "Please use a valid role: user, model."
    if content.get("role") == before.get("role") and not _results(before):
        yield "Please ensure that roles alternate between user and model."
    if not content.get("parts"):
        yield "* GenerateContentRequest.contents: contents.parts must not be empty."
    answers = _results(content)
    if 0 < answers < len(content["parts"]):
        # Its own words point elsewhere: https://github.com/vellum-ai/vellum-assistant/pull/39495
        yield "Requests ending with a model turn are not supported."
    calls = sum("functionCall" in part for part in before.get("parts", []))
    if answers not in {0, calls}:
        yield (
            "Please ensure that the number of function response parts is equal to the number "
            "of function call parts of the function call turn."
        )
    for part in content.get("parts", []):
        yield from _part_faults(part)


def _part_faults(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(part, PART_FIELDS, " at 'contents.parts'")
    if part.get("text") == "" and "thoughtSignature" not in part:
        yield "Unable to submit request because it must have a text parameter."
    if (answer := part.get("functionResponse")) is not None:
        yield from _answer_faults(answer)
    if (call := part.get("functionCall")) is not None and not (
        call.get("name") and isinstance(call.get("args"), dict)
    ):
        yield "Invalid value at 'contents.parts.function_call'"


def _results(content: Mapping[str, Any]) -> int:
    return sum("functionResponse" in part for part in content.get("parts", []))


def _answer_faults(answer: Mapping[str, Any]) -> Iterator[str]:
    if not answer.get("name"):
        yield "* GenerateContentRequest.contents.parts.function_response.name: cannot be empty."
    if not isinstance(answer.get("response"), dict):
        yield "Invalid value at 'contents.parts.function_response.response' (Struct)"


def _signature_faults(content: Mapping[str, Any]) -> Iterator[str]:
    """https://ai.google.dev/gemini-api/docs/thought-signatures: a turn's first call has one."""
    first = next((part for part in content.get("parts", []) if "functionCall" in part), None)
    if first is not None and not first.get("thoughtSignature"):
        yield (
            "Function call is missing a thought_signature in functionCall parts. This is required "
            "for tools to work correctly."
        )


def _unknown(given: Mapping[str, Any], known: frozenset[str], where: str) -> Iterator[str]:
    for name in given.keys() - known:
        yield f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
