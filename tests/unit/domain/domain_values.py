"""Strategies for domain values."""

from hypothesis import strategies as st

from langroute.domain.money import Money
from langroute.domain.pricing import ModelPrice, Rates, Service, Tier
from langroute.domain.usage import TokenUsage

TOKEN_CLASSES = (
    "input",
    "cached_input",
    "cached_audio_input",
    "cached_image_input",
    "cache_write",
    "cache_write_1h",
    "audio_input",
    "image_input",
    "output",
    "reasoning",
    "audio_output",
    "image_output",
)


def counts(most: int = 10**7) -> st.SearchStrategy[int]:
    return st.integers(0, most)


def usages(most: int = 10**7) -> st.SearchStrategy[TokenUsage]:
    return st.builds(TokenUsage, **{name: counts(most) for name in TOKEN_CLASSES})


def amounts(least: int = -(10**30), most: int = 10**30) -> st.SearchStrategy[Money]:
    return st.builds(Money, st.integers(least, most))


def rates() -> st.SearchStrategy[Rates]:
    rate = amounts(0, 10**9)
    maybe = st.none() | rate
    return st.builds(
        Rates,
        input=rate,
        output=rate,
        cached_input=maybe,
        cached_audio_input=maybe,
        cached_image_input=maybe,
        cache_write=maybe,
        cache_write_1h=maybe,
        audio_input=maybe,
        image_input=maybe,
        reasoning=maybe,
        audio_output=maybe,
        image_output=maybe,
    )


SERVICES = ("flex", "priority")


@st.composite
def prices(draw: st.DrawFn, services: bool = True) -> ModelPrice:
    thresholds = sorted(draw(st.sets(st.integers(1, 5_000), max_size=3)))
    names = sorted(draw(st.sets(st.sampled_from(SERVICES)))) if services else []
    return ModelPrice(
        rates=draw(rates()),
        tiers=tuple(Tier(above_prompt_tokens=at, rates=draw(rates())) for at in thresholds),
        services=tuple(Service(name, draw(prices(services=False))) for name in names),
    )
