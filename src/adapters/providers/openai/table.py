"""The servers that are known by name. A row says only what its vendor's page does."""

from collections.abc import Mapping

from ....domain.dialects import Dialect
from ....domain.operations import Operation
from .facts import BEARER, NEW_CAP, TEXT, Facts

_RESPONSES: Mapping[Dialect, str] = {Dialect.RESPONSES: "/responses"}
_MESSAGES: Mapping[Dialect, str] = {Dialect.MESSAGES: "/messages"}
_ALL_DIALECTS = {**TEXT, **_RESPONSES, **_MESSAGES}

# What Anthropic's own clients send with every message.
_VERSION = {"anthropic-version": "2023-06-01"}

# What was thought by others, as callers bring it along. Servers with a strict schema answer it with
# 400: https://github.com/HKUDS/OpenHarness/pull/263
_THOUGHTS = frozenset({"reasoning_content", "thinking_blocks", "extra_content"})

_NO_OPERATIONS: frozenset[Operation] = frozenset()
_HEARING = frozenset({Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS})

OPENAI = Facts(
    page="https://platform.openai.com/docs/api-reference/chat/create",
    default_url="https://api.openai.com/v1",
    # Azure's models are the same, for those who defined them as OpenAI's.
    hosts=(".openai.com", ".openai.azure.com"),
    # Newer models refuse `max_tokens`, and all refuse both at once.
    cap=NEW_CAP,
    refuses_in_messages=_THOUGHTS,
    natives={**TEXT, **_RESPONSES},
)

AZURE = Facts(
    page="https://learn.microsoft.com/en-us/azure/ai-services/openai/reference",
    headers={"api-key": "{}"},
    cap=NEW_CAP,
    natives={**TEXT, **_RESPONSES},
    operations=frozenset(Operation) - {Operation.MODERATIONS, Operation.IMAGE_VARIATIONS},
)

TABLE: Mapping[str, Facts] = {
    "openai": OPENAI,
    "ollama": Facts(
        # https://docs.ollama.com/api/anthropic-compatibility for messages.
        page="https://docs.ollama.com/api/openai-compatibility",
        default_url="http://localhost:11434/v1",
        refuses=frozenset({"logit_bias", "n", "tool_choice"}),
        natives=_ALL_DIALECTS,
        says_reasoning=True,
        takes_reasoning=True,
    ),
    "vllm": Facts(
        # https://docs.vllm.ai/en/latest/features/reasoning_outputs/ for reasoning, whose name
        # was `reasoning_content` before.
        page="https://docs.vllm.ai/en/stable/serving/online_serving.html",
        natives=_ALL_DIALECTS,
        operations=_HEARING | {Operation.EMBEDDINGS},
        says_reasoning=True,
        takes_reasoning=True,
    ),
    "llamacpp": Facts(
        page="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        natives=_ALL_DIALECTS,
    ),
    "lmstudio": Facts(
        # https://lmstudio.ai/docs/developer/anthropic-compat for messages.
        page="https://lmstudio.ai/docs/developer/openai-compat",
        default_url="http://localhost:1234/v1",
        natives=_ALL_DIALECTS,
        operations=frozenset({Operation.EMBEDDINGS}),
    ),
    "groq": Facts(
        # https://console.groq.com/docs/api-reference#chat-create for the cap and the operations.
        page="https://console.groq.com/docs/openai",
        default_url="https://api.groq.com/openai/v1",
        cap=NEW_CAP,
        refuses=frozenset({"logit_bias", "logprobs", "n", "top_logprobs"}),
        refuses_in_messages=_THOUGHTS | {"name"},
        natives=_RESPONSES,
        operations=_HEARING | {Operation.SPEECH},
        says_reasoning=True,
    ),
    "together": Facts(
        page="https://docs.together.ai/docs/inference/openai-compatibility",
        default_url="https://api.together.ai/v1",
        operations=_HEARING | {Operation.EMBEDDINGS, Operation.IMAGE_GENERATIONS, Operation.SPEECH},
    ),
    "deepseek": Facts(
        # https://api-docs.deepseek.com/guides/anthropic_api for messages, and their own header;
        # https://api-docs.deepseek.com/guides/kv_cache for the cache.
        page="https://api-docs.deepseek.com/api/create-chat-completion",
        default_url="https://api.deepseek.com",
        headers={**BEARER, "x-api-key": "{}"},
        takes_developer=False,
        natives={Dialect.MESSAGES: "/anthropic/v1/messages"},
        natives_at_default=True,
        operations=_NO_OPERATIONS,
        cache_hits="prompt_cache_hit_tokens",
    ),
    "xai": Facts(
        # Messages and text completions are called deprecated there, so they are translated;
        # https://docs.x.ai/docs/key-information/consumption-and-rate-limits for reasoning.
        page="https://docs.x.ai/docs/api-reference",
        default_url="https://api.x.ai/v1",
        natives=_RESPONSES,
        operations=frozenset({Operation.IMAGE_GENERATIONS}),
        counts_reasoning_apart=True,
    ),
    "openrouter": Facts(
        # https://openrouter.ai/docs/use-cases/usage-accounting: usage is told without asking;
        # https://openrouter.ai/docs/use-cases/reasoning-tokens for reasoning.
        page="https://openrouter.ai/docs/api-reference/overview",
        default_url="https://openrouter.ai/api/v1",
        headers={**BEARER, **_VERSION},
        asks_for_usage=False,
        natives=_ALL_DIALECTS,
        says_reasoning=True,
        takes_reasoning=True,
    ),
    "fireworks": Facts(
        # https://docs.fireworks.ai/tools-sdks/anthropic-compatibility for messages;
        # https://docs.fireworks.ai/guides/response-api for responses.
        page="https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        default_url="https://api.fireworks.ai/inference/v1",
        headers={**BEARER, **_VERSION},
        natives=_ALL_DIALECTS,
        operations=frozenset({Operation.EMBEDDINGS}),
    ),
    "perplexity": Facts(
        # Chats are to give way to responses, whose address has changed more than once:
        # https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar/overview
        page="https://docs.perplexity.ai/docs/sonar/openai-compatibility",
        default_url="https://api.perplexity.ai",
        natives={},
        operations=_NO_OPERATIONS,
    ),
    "cerebras": Facts(
        # https://inference-docs.cerebras.ai/capabilities/reasoning for reasoning.
        page="https://inference-docs.cerebras.ai/resources/openai",
        default_url="https://api.cerebras.ai/v1",
        cap=NEW_CAP,
        refuses=frozenset({"frequency_penalty", "logit_bias", "presence_penalty"}),
        refuses_in_messages=_THOUGHTS,
        operations=_NO_OPERATIONS,
        says_reasoning=True,
    ),
    "nvidia": Facts(
        page="https://docs.api.nvidia.com/nim/reference/llm-apis",
        default_url="https://integrate.api.nvidia.com/v1",
        operations=frozenset({Operation.EMBEDDINGS}),
    ),
}
