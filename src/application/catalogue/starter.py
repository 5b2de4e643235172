"""What a new gateway knows: OpenAI and Mistral, their current chat models, and who stands in."""

from ...domain.providers import Provider, ProviderKind
from ...domain.routes import ModelRoute, Target

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.openai.com/v1")
MISTRAL = Provider(name="mistral", kind=ProviderKind.MISTRAL, base_url="https://api.mistral.ai/v1")
PROVIDERS = (OPENAI, MISTRAL)

# Each model, and the one of about its size at the other provider that answers when it fails.
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


def _routes(models: dict[str, str], own: Provider, other: Provider) -> list[ModelRoute]:
    return [
        ModelRoute(
            model=model,
            targets=(
                Target(provider=own.name, model=model, order=0),
                Target(provider=other.name, model=stand_in, order=1),
            ),
        )
        for model, stand_in in models.items()
    ]


ROUTES = (
    *_routes(_OPENAI_MODELS, OPENAI, MISTRAL),
    *_routes(_MISTRAL_MODELS, MISTRAL, OPENAI),
)
