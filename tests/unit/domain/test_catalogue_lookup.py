import pytest

from langroute.domain.catalogue import EMPTY_CATALOGUE, Catalogue
from langroute.domain.routes import ModelRoute, Target


def route(model: str, *aliases: str) -> ModelRoute:
    return ModelRoute(model=model, aliases=aliases, targets=(Target(provider="p", model="m"),))


CATALOGUE = Catalogue.of(
    routes=[
        route("*"),
        route("gpt-*"),
        route("gpt-4o*"),
        route("*-mini"),
        route("fast", "gpt-4o", "claude-*"),
        route("slow", "fast", "gpt-4.1"),
        route("other", "gpt-4.1"),
    ]
)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("fast", "fast"),  # its own name wins over another's alias
        ("gpt-4o", "fast"),  # an alias wins over every wildcard
        ("gpt-4.1", "slow"),  # of two aliases, the one that was named first
        ("gpt-4o-2024", "gpt-4o*"),  # the wildcard with the most letters
        ("gpt-5", "gpt-*"),
        ("llama-mini", "*-mini"),
        ("claude-x", "fast"),  # a wildcard may be an alias
        ("llama", "*"),
        ("", "*"),
    ],
)
def test_a_name_wins_over_an_alias_and_both_over_a_wildcard(model: str, found: str) -> None:
    chosen = CATALOGUE.route(model)
    assert chosen is not None
    assert chosen.model == found


def test_of_two_wildcards_as_long_the_first_in_the_alphabet_is_taken_whatever_their_order() -> None:
    for routes in ([route("a*c"), route("a*d"), route("ab*")], [route("ab*"), route("a*c")]):
        chosen = Catalogue.of(routes=routes).route("abc")
        assert chosen is not None
        assert chosen.model == "a*c"


@pytest.mark.parametrize("model", ["gpt-\r\nx: 1", "gpt-\x7f", "gpt-\0", "gpt-" + "y" * 253])
def test_no_wildcard_passes_on_what_cannot_be_a_models_name(model: str) -> None:
    assert CATALOGUE.route(model) is None
    assert Catalogue.of(routes=[route("gpt-*")]).route("gpt-" + "y" * 252) is not None


def test_there_may_be_no_route() -> None:
    assert EMPTY_CATALOGUE.route("gpt-4o") is None
    assert Catalogue.of(routes=[route("a"), route("b*")]).route("ab") is None
