"""The servers that are known by name. A row says only what its vendor's page, or code, does."""

from collections.abc import Mapping

from ....domain.dialects import Dialect
from ....domain.operations import Operation
from .facts import BEARER, NEW_CAP, TEXT, Facts

_RESPONSES: Mapping[Dialect, str] = {Dialect.RESPONSES: "/responses"}
_MESSAGES: Mapping[Dialect, str] = {Dialect.MESSAGES: "/messages"}
_ALL_DIALECTS = {**TEXT, **_RESPONSES, **_MESSAGES}

# What was thought by others, as callers bring it along. Servers with a strict schema answer it with
# 400: https://github.com/HKUDS/OpenHarness/pull/263
_SIGNED = frozenset({"thinking_blocks", "extra_content"})
_THOUGHTS = _SIGNED | {"reasoning_content"}

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
        # Which fields it reads, and reasoning: ChatCompletionRequest and Message in
        # https://github.com/ollama/ollama/blob/main/openai/openai.go. Its operations, and
        # messages: https://github.com/ollama/ollama/blob/main/server/routes.go. Its roles, which
        # many of its models' templates know no other than:
        # https://github.com/ollama/ollama/blob/main/docs/api.md
        page="https://docs.ollama.com/api/openai-compatibility",
        default_url="http://localhost:11434/v1",
        takes_developer=False,
        refuses=frozenset({"logit_bias", "n", "tool_choice"}),
        natives=_ALL_DIALECTS,
        operations=frozenset({Operation.EMBEDDINGS, Operation.TRANSCRIPTIONS}),
        says_reasoning=True,
        takes_reasoning=True,
    ),
    "vllm": Facts(
        # https://docs.vllm.ai/en/v0.11.2/features/reasoning_outputs/ for reasoning, whose name
        # was `reasoning_content` before.
        page="https://docs.vllm.ai/en/stable/serving/online_serving.html",
        natives=_ALL_DIALECTS,
        operations=_HEARING | {Operation.EMBEDDINGS},
        says_reasoning=True,
        takes_reasoning=True,
    ),
    "llamacpp": Facts(
        # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server.cpp for its paths.
        page="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        natives=_ALL_DIALECTS,
        operations=frozenset({Operation.EMBEDDINGS, Operation.TRANSCRIPTIONS}),
    ),
    "lmstudio": Facts(
        # https://lmstudio.ai/docs/developer/anthropic-compat for messages, and
        # https://lmstudio.ai/docs/developer/api-changelog for reasoning: that of gpt-oss is
        # `reasoning`, that of others `reasoning_content`.
        page="https://lmstudio.ai/docs/developer/openai-compat",
        default_url="http://localhost:1234/v1",
        natives=_ALL_DIALECTS,
        operations=frozenset({Operation.EMBEDDINGS}),
        says_reasoning=True,
    ),
    "groq": Facts(
        # The cap, the operations, and penalties that no model reads yet:
        # https://github.com/groq/groq-python/blob/main/src/groq/types/chat/
        # completion_create_params.py. Reasoning is taken back by some models, and refused by the
        # others: https://github.com/vercel/ai/pull/8057
        page="https://console.groq.com/docs/openai",
        default_url="https://api.groq.com/openai/v1",
        cap=NEW_CAP,
        refuses=frozenset(
            {"frequency_penalty", "logit_bias", "logprobs", "n", "presence_penalty", "top_logprobs"}
        ),
        refuses_in_messages=_THOUGHTS | {"name"},
        natives=_RESPONSES,
        operations=_HEARING | {Operation.SPEECH},
        says_reasoning=True,
    ),
    "together": Facts(
        # https://docs.together.ai/docs/inference/chat/reasoning for reasoning. Responses and
        # messages are for a few of its models; answers of others may be malformed:
        # https://docs.together.ai/docs/inference/responses-api, …/messages-api
        page="https://docs.together.ai/docs/inference/openai-compatibility",
        default_url="https://api.together.ai/v1",
        operations=_HEARING | {Operation.EMBEDDINGS, Operation.IMAGE_GENERATIONS, Operation.SPEECH},
        says_reasoning=True,
    ),
    "deepseek": Facts(
        # https://api-docs.deepseek.com/guides/anthropic_api for messages, and their own header;
        # https://api-docs.deepseek.com/guides/kv_cache for the cache. Its responses know no role
        # `developer` either, so they are translated:
        # https://github.com/EKKOLearnAI/hermes-studio/issues/1926. Reasoning must be given back
        # after tool calls: https://api-docs.deepseek.com/guides/thinking_mode
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
        # Messages and text completions are deprecated, so they are translated:
        # https://docs.x.ai/developers/rest-api-reference/inference/legacy. The cap, and output that
        # leaves reasoning out: xai-chat-language-model.ts and __fixtures__/xai-text.json in
        # https://github.com/vercel/ai/tree/main/packages/xai/src
        page="https://docs.x.ai/developers/rest-api-reference/inference",
        default_url="https://api.x.ai/v1",
        cap=NEW_CAP,
        natives=_RESPONSES,
        operations=frozenset({Operation.IMAGE_GENERATIONS}),
        counts_reasoning_apart=True,
    ),
    "openrouter": Facts(
        # https://openrouter.ai/docs/use-cases/usage-accounting: usage is told without asking;
        # https://openrouter.ai/docs/use-cases/reasoning-tokens for reasoning. The operations, and
        # the dialects but for text completions, stand in its OpenAPI document, which is in
        # https://github.com/OpenRouterTeam/typescript-sdk; images have another path there.
        page="https://openrouter.ai/docs/api-reference/overview",
        default_url="https://openrouter.ai/api/v1",
        asks_for_usage=False,
        natives=_ALL_DIALECTS,
        operations=frozenset({Operation.EMBEDDINGS, Operation.SPEECH, Operation.TRANSCRIPTIONS}),
        says_reasoning=True,
        takes_reasoning=True,
    ),
    "fireworks": Facts(
        # https://docs.fireworks.ai/tools-sdks/anthropic-compatibility for messages;
        # https://docs.fireworks.ai/guides/querying-text-models for responses;
        # https://docs.fireworks.ai/guides/querying-embeddings-models for embeddings.
        page="https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        default_url="https://api.fireworks.ai/inference/v1",
        natives=_ALL_DIALECTS,
        operations=frozenset({Operation.EMBEDDINGS}),
    ),
    "perplexity": Facts(
        # Chats ended on 27 September 2026, and responses are what there is:
        # https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar/overview. A gateway that
        # still speaks them in its place is asked in chats. Its embeddings are no numbers that
        # OpenAI's clients could read.
        page="https://docs.perplexity.ai/docs/agent-api/openai-compatibility",
        default_url="https://api.perplexity.ai/v1",
        natives=_RESPONSES,
        natives_at_default=True,
        operations=_NO_OPERATIONS,
    ),
    "cerebras": Facts(
        # The cap, text completions, roles, and reasoning that is given back:
        # https://github.com/Cerebras/cerebras-cloud-sdk-python/blob/main/src/cerebras/cloud/sdk/
        # types/chat/completion_create_params.py. `reasoning_content` is refused:
        # https://github.com/QwenLM/qwen-code/issues/11045
        page="https://inference-docs.cerebras.ai/resources/openai",
        default_url="https://api.cerebras.ai/v1",
        cap=NEW_CAP,
        takes_developer=False,
        refuses=frozenset({"frequency_penalty", "logit_bias", "presence_penalty"}),
        refuses_in_messages=_SIGNED,
        operations=_NO_OPERATIONS,
        says_reasoning=True,
        takes_reasoning=True,
    ),
    "nvidia": Facts(
        # The address, text completions, embeddings, and both names of reasoning:
        # https://github.com/langchain-ai/langchain-nvidia/tree/main/libs/ai-endpoints
        page="https://docs.nvidia.com/nim/large-language-models/latest/reference/api-reference.html",
        default_url="https://integrate.api.nvidia.com/v1",
        operations=frozenset({Operation.EMBEDDINGS}),
        says_reasoning=True,
    ),
    "moonshot": Facts(
        # The cached input is counted beside the prompt, in older answers at least:
        # https://github.com/vercel/ai/blob/main/packages/moonshotai/src/
        # convert-moonshotai-chat-usage.ts
        page="https://platform.kimi.ai/docs/api/chat",
        default_url="https://api.moonshot.ai/v1",
        cap=NEW_CAP,
        takes_developer=False,
        natives={},
        operations=_NO_OPERATIONS,
        cache_hits="cached_tokens",
    ),
    "deepinfra": Facts(
        page="https://deepinfra.com/docs/openai_api",
        default_url="https://api.deepinfra.com/v1/openai",
        operations=frozenset({Operation.EMBEDDINGS}),
    ),
}
