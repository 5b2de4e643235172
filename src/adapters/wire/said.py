from typing import Any


def said_bytes(choices: list[dict[str, Any]]) -> int:
    """How many bytes of UTF-8 the model has said in a chunk: text, reasoning, refusal, and the
    names and arguments of the tools it calls."""
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
        said += sum(_of_function(c.get("function")) for c in calls if isinstance(c, dict))
    return said


def _of_function(function: object) -> int:
    if not isinstance(function, dict):
        return 0
    return _length(function.get("name")) + _length(function.get("arguments"))


def _length(text: object) -> int:
    if not isinstance(text, str):
        return 0
    return len(text) if text.isascii() else len(text.encode())
