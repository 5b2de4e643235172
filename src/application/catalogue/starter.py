"""What a new gateway knows: four providers, their current models, and who stands in for which."""

from ...domain.providers import Provider, ProviderKind
from ...domain.routes import ModelRoute, Target

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.openai.com/v1")
MISTRAL = Provider(name="mistral", kind=ProviderKind.MISTRAL, base_url="https://api.mistral.ai/v1")
ANTHROPIC = Provider(
    name="anthropic", kind=ProviderKind.ANTHROPIC, base_url="https://api.anthropic.com/v1"
)
GEMINI = Provider(
    name="gemini",
    kind=ProviderKind.GEMINI,
    base_url="https://generativelanguage.googleapis.com/v1beta",
)
PROVIDERS = (OPENAI, MISTRAL, ANTHROPIC, GEMINI)

# Each model, and the one of about its size at another provider that answers when it fails.
_OPENAI_MODELS = {
    "gpt-3.5-turbo": "mistral-small-latest",
    "gpt-4o": "mistral-medium-latest",
    "gpt-4o-mini": "mistral-small-latest",
    "gpt-4.1": "mistral-medium-latest",
    "gpt-4.1-mini": "mistral-small-latest",
    "gpt-4.1-nano": "ministral-8b-latest",
    "gpt-5": "mistral-large-4",
    "gpt-5-mini": "mistral-medium-latest",
    "gpt-5-nano": "mistral-small-latest",
    "gpt-5.4": "mistral-large-4",
    "gpt-5.4-mini": "mistral-medium-latest",
    "gpt-6-sol": "mistral-large-4",
    "gpt-6-luna": "mistral-small-latest",
    "gpt-6.1-sol": "mistral-large-4",
    "gpt-6.1-terra": "mistral-medium-latest",
}
_MISTRAL_MODELS = {
    "mistral-large-4": "gpt-6.1-sol",
    "mistral-large-latest": "gpt-6.1-sol",
    "mistral-medium-latest": "gpt-6.1-terra",
    "mistral-small-latest": "gpt-4o-mini",
    "ministral-8b-latest": "gpt-4.1-nano",
    "codestral-latest": "gpt-4.1",
    "open-mistral-nemo": "gpt-4o-mini",
}
_ANTHROPIC_MODELS = {
    "claude-fable-5-1": "gpt-6.1-sol",
    "claude-fable-5-2": "gpt-6.1-sol",
    "claude-opus-4-8": "gpt-6-sol",
    "claude-opus-5": "gpt-6.1-sol",
    "claude-opus-5-5": "gpt-6.1-sol",
    "claude-sonnet-4-6": "gpt-5.4",
    "claude-sonnet-5": "gpt-6.1-sol",
    "claude-sonnet-5-5": "gpt-6.1-sol",
    "claude-haiku-4-5": "gpt-5.4-mini",
    "claude-haiku-5-5": "gpt-6-luna",
}
_GEMINI_MODELS = {
    "gemini-4-argon": "claude-sonnet-5-5",
    "gemini-3.8-flash": "gpt-6.1-terra",
    "gemini-3.6-flash": "gpt-5.4-mini",
    "gemini-3.5-flash-lite": "claude-haiku-5-5",
    "gemini-3.1-flash-lite": "gpt-6-luna",
}
_MODELS = {
    OPENAI: _OPENAI_MODELS,
    MISTRAL: _MISTRAL_MODELS,
    ANTHROPIC: _ANTHROPIC_MODELS,
    GEMINI: _GEMINI_MODELS,
}
_OWNERS = {model: provider for provider, models in _MODELS.items() for model in models}


# What is no chat has nobody to stand in: another model's embeddings mean something else.
_ALONE = {
    OPENAI: (
        *("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"),
        *("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-mini-tts"),
        *("gpt-image-1", "gpt-image-1-mini", "gpt-image-2"),
    ),
    MISTRAL: ("mistral-embed", "codestral-embed"),
    GEMINI: ("gemini-embedding-001",),
}
FREE = ("omni-moderation-latest",)
"""At OpenAI; so there is no price of it."""


def _alone(provider: Provider, model: str) -> ModelRoute:
    return ModelRoute(model=model, targets=(Target(provider=provider.name, model=model),))


def _route(model: str, stand_in: str) -> ModelRoute:
    targets = (
        Target(provider=_OWNERS[name].name, model=name, order=order)
        for order, name in enumerate((model, stand_in))
    )
    return ModelRoute(model=model, targets=tuple(targets))


CHATS = tuple(
    _route(model, stand_in) for models in _MODELS.values() for model, stand_in in models.items()
)
OTHERS = (
    *(_alone(provider, model) for provider, models in _ALONE.items() for model in models),
    *(_alone(OPENAI, model) for model in FREE),
)
ROUTES = (*CHATS, *OTHERS)
