from typing import Any

# What is no text counts as one of as many tokens, at four bytes each. OpenAI's sound takes some 21
# tokens a second, which are 64,000 letters of base64; a picture of Gemini's takes 1,290:
# https://platform.openai.com/docs/pricing and
# https://ai.google.dev/gemini-api/docs/image-generation
_LETTERS_OF_SOUND_A_BYTE = 64_000 // (4 * 21)
_PER_PICTURE = 4 * 1_290


def said_bytes(choices: list[dict[str, Any]]) -> int:
    """How many bytes of UTF-8 the model has said in a chunk: text, reasoning, refusal, and the
    names and arguments of the tools it calls; and what its sound and its pictures count."""
    return sum(_of_delta(choice["delta"]) for choice in choices)


def _of_delta(delta: dict[str, Any]) -> int:
    said = _length(delta.get("content"))
    if len(delta) == 1 and said:
        return said
    said += _length(delta.get("refusal"))
    # vLLM, DeepSeek and llama.cpp say the first, OpenRouter and Ollama the second.
    said += _length(delta.get("reasoning_content") or delta.get("reasoning"))
    said += _of_function(delta.get("function_call"))
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        said += sum(_of_call(call) for call in calls if isinstance(call, dict))
    if isinstance(audio := delta.get("audio"), dict):
        said += _length(audio.get("data")) // _LETTERS_OF_SOUND_A_BYTE
        said += _length(audio.get("transcript"))
    if isinstance(images := delta.get("images"), list):
        said += _PER_PICTURE * len(images)
    return said


def _of_call(call: dict[str, Any]) -> int:
    said = _of_function(call.get("function"))
    if isinstance(custom := call.get("custom"), dict):  # takes a text
        said += _length(custom.get("name")) + _length(custom.get("input"))
    return said


def _of_function(function: object) -> int:
    if not isinstance(function, dict):
        return 0
    return _length(function.get("name")) + _length(function.get("arguments"))


def _length(text: object) -> int:
    if not isinstance(text, str):
        return 0
    return len(text) if text.isascii() else len(text.encode())
