"""What makes a request's input or cost unbounded: more is read, or more is done for it, than stands
in it, and nobody can tell how much before it is over.

Found is the field at fault, as the caller's dialect names it; None where there is none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .dialects import Dialect

Json = Mapping[str, Any]

# Tools that a caller runs itself: what they find comes back as input that can be counted.
# https://platform.openai.com/docs/api-reference/responses/create#responses-create-tools
_OF_CALLERS = frozenset({"function", "custom"})
_OF_CALLERS_TOO = frozenset(
    {"local_shell", "apply_patch", "computer", "computer_use_preview", "namespace"}
)
# https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
_OF_CALLERS_AT_ANTHROPIC = ("bash_", "text_editor_", "computer_", "memory_")

_KEPT_BY_OPENAI = ("previous_response_id", "conversation", "prompt")
_KEPT_BY_ANTHROPIC = ("thread", "mcp_servers", "container")
# https://ai.google.dev/api/caching, in either spelling
_KEPT_BY_GOOGLE = ("cached_content", "cachedContent")
# A provider's own search. The first is OpenAI's, and asks Gemini for Google's:
# https://platform.openai.com/docs/api-reference/chat/create; then xAI's and OpenRouter's:
# https://docs.x.ai/docs/guides/live-search and https://openrouter.ai/docs/features/web-search; then
# Azure's, of the caller's own documents, in either spelling:
# https://learn.microsoft.com/en-us/azure/ai-services/openai/references/on-your-data
_SEARCHES = ("web_search_options", "search_parameters", "plugins", "data_sources", "dataSources")

# Other models that may answer instead, each at its own price: OpenRouter's, in chats and messages,
# and Anthropic's: https://openrouter.ai/docs/guides/routing/model-fallbacks
_OTHER_MODELS = ("models", "fallbacks")

# vLLM writes the prompt as the caller's own template says, however often, and looks at pictures and
# films as closely as its other words say:
# https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#chat-api
_READINGS = ("chat_template", "mm_processor_kwargs", "media_io_kwargs")

# What OpenRouter has stored by that name, tools and a system prompt among it:
# https://openrouter.ai/docs/guides/features/presets
_PRESETS = ("preset",)
# A long conversation is read once more, to sum it up, before it is answered: Anthropic's in two
# ways, and OpenAI's: https://platform.claude.com/docs/en/build-with-claude/compaction
_COMPACTIONS, _EDITS = ("compaction",), "context_management"

_OF_ANY = (
    *_SEARCHES,
    *_KEPT_BY_GOOGLE,
    *_KEPT_BY_ANTHROPIC,
    *_READINGS,
    *_PRESETS,
    *_COMPACTIONS,
)
_LOOKED_FOR = frozenset({*_OF_ANY, _EDITS})


def unbounded(dialect: Dialect | None, body: Json) -> str | None:
    """Of a chat, in a dialect; None is OpenAI's chats."""
    match dialect:
        case Dialect.RESPONSES:
            found = _of_responses(body)
        case Dialect.MESSAGES:
            found = _of_messages(body)
        case _:
            found = _of_chats(body)
    return other_models(body) or next(_of_any(body), None) or next(found, None)


def other_models(body: Json) -> str | None:
    """The field that names models beside the one that is asked for, in whatever dialect."""
    return next(_given(body, _OTHER_MODELS), None)


def unbounded_operation(body: Json) -> str | None:
    """A recording that lies elsewhere is as long as it is: Mistral's transcriptions take such."""
    return next(_given(body, ("file_url", "file_id")), None)


def _of_any(body: Json) -> Iterator[str]:
    """In whatever dialect: a provider that speaks it reads its own fields in it."""
    if _LOOKED_FOR.isdisjoint(body):
        return
    yield from _given(body, _OF_ANY)
    edits = body.get(_EDITS)
    edits = edits.get("edits") if isinstance(edits, Mapping) else edits
    kinds = (edit.get("type") for _, edit in _objects(edits))
    if any(isinstance(kind, str) and kind.startswith("compact") for kind in kinds):
        yield _EDITS


def _of_chats(body: Json) -> Iterator[str]:
    extra = body.get("extra_body")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    if isinstance(google, Mapping):
        yield from (f"extra_body.google.{name}" for name in _given(google, _KEPT_BY_GOOGLE))
    for index, tool in _objects(body.get("tools")):
        # One without a type is Google's own, such as `{"googleSearch": {}}`.
        kind = tool.get("type", "function" if "function" in tool else None)
        if not (isinstance(kind, str) and kind in _OF_CALLERS):
            yield f"tools.{index}"


def _of_responses(body: Json) -> Iterator[str]:
    yield from _given(body, _KEPT_BY_OPENAI)
    for index, tool in _objects(body.get("tools")):
        if not _is_run_by_the_caller(tool):
            yield f"tools.{index}.type"
    for index, item in _objects(body.get("input")):
        if item.get("type") == "item_reference":
            yield f"input.{index}"


def _is_run_by_the_caller(tool: Json) -> bool:
    if tool.get("type") == "shell":  # OpenAI's, unless it is said to be the caller's
        environment = tool.get("environment")
        return isinstance(environment, Mapping) and environment.get("type") == "local"
    kind = tool.get("type")
    return isinstance(kind, str) and kind in _OF_CALLERS | _OF_CALLERS_TOO


def _of_messages(body: Json) -> Iterator[str]:
    for index, tool in _objects(body.get("tools")):
        kind = tool.get("type")
        if isinstance(kind, str) and not (
            kind == "custom" or kind.startswith(_OF_CALLERS_AT_ANTHROPIC)
        ):
            yield f"tools.{index}.type"


def _given(body: Json, names: tuple[str, ...]) -> Iterator[str]:
    if body.keys().isdisjoint(names):
        return iter(())
    # An object with nothing in it asks for a search, too.
    return (name for name in names if body.get(name) not in (None, "", False, []))


def _objects(value: object) -> Iterator[tuple[int, Json]]:
    if isinstance(value, list):
        yield from ((index, item) for index, item in enumerate(value) if isinstance(item, Mapping))
