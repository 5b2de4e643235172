from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.routes import MOST_ALIASES, MOST_TARGETS, ModelRoute, Target

SEEDS = st.integers(0, 2**128 - 1)


def target(name: str, order: int = 0, weight: int = 1) -> Target:
    return Target(provider=name, model="m", order=order, weight=weight)


@st.composite
def routes(draw: st.DrawFn) -> ModelRoute:
    places = st.tuples(st.integers(0, 3), st.integers(1, 9))
    return ModelRoute(
        model="m",
        targets=tuple(
            target(f"p{index}", order, weight)
            for index, (order, weight) in enumerate(draw(st.lists(places, min_size=1, max_size=8)))
        ),
    )


@given(routes(), SEEDS)
def test_every_target_is_a_candidate_once_and_in_its_order(route: ModelRoute, seed: int) -> None:
    candidates = route.candidates("m", seed)
    assert sorted(candidates, key=lambda t: t.provider) == list(route.targets)
    orders = [candidate.order for candidate in candidates]
    assert orders == sorted(orders)


@given(routes(), SEEDS)
def test_the_same_seed_gives_the_same_candidates(route: ModelRoute, seed: int) -> None:
    again = ModelRoute(model=route.model, targets=route.targets)
    assert route.candidates("m", seed) == again.candidates("m", seed)


def _chances(targets: tuple[Target, ...]) -> dict[tuple[str, ...], float]:
    """Of each sequence, when drawing by weight without putting back."""
    if not targets:
        return {(): 1.0}
    total = sum(each.weight for each in targets)
    return {
        (first.provider, *rest): first.weight / total * chance
        for first in targets
        for rest, chance in _chances(tuple(t for t in targets if t is not first)).items()
    }


@pytest.mark.parametrize("weights", [(1, 1), (1, 9), (5, 3, 2), (1, 1, 1, 1), (100, 10, 1)])
def test_targets_of_one_order_come_as_often_as_they_weigh(weights: tuple[int, ...]) -> None:
    """Pearson's test over all sequences. The seeds are fixed, so it always ends the same way."""
    route = ModelRoute(
        model="m",
        targets=tuple(target(f"p{index}", weight=w) for index, w in enumerate(weights)),
    )
    draws = 10_000
    # Consecutive seeds: those of a poor generator would resemble one another.
    seen = Counter(tuple(t.provider for t in route.candidates("m", seed)) for seed in range(draws))
    chances = _chances(route.targets)
    chi_square = sum(
        (seen[sequence] - draws * chance) ** 2 / (draws * chance)
        for sequence, chance in chances.items()
    )
    degrees = len(chances) - 1
    assert chi_square < degrees + 4 * (2 * degrees) ** 0.5  # four standard deviations


def test_weights_weigh_within_one_order_only() -> None:
    route = ModelRoute(
        model="m",
        targets=(target("late", 1, 1000), target("early", 0, 1), target("also-early", 0, 1)),
    )
    for seed in range(200):
        candidates = route.candidates("m", seed)
        assert [len(list(group)) for _, group in groupby(candidates, key=lambda t: t.order)] == [
            2,
            1,
        ]


@pytest.mark.parametrize(
    ("model", "aliases", "target_model", "asked", "filled"),
    [
        ("gpt-4o", (), "gpt-4o-2024", "gpt-4o", "gpt-4o-2024"),
        ("openai/*", (), "*", "openai/gpt-4o", "gpt-4o"),
        ("openai/*", (), "x-*-y", "openai/gpt-4o", "x-gpt-4o-y"),
        ("openai/*", ("oai/*",), "*", "oai/gpt-4o", "gpt-4o"),
        ("openai/*", (), "fixed", "openai/gpt-4o", "fixed"),
        ("*", (), "*", "anything", "anything"),
        ("gpt-4o", ("best",), "*", "best", "best"),
        ("*", ("openai/*",), "*", "openai/gpt-4o", "gpt-4o"),
        ("*", ("openai/*", "openai/gpt-4o"), "*", "openai/gpt-4o", "openai/gpt-4o"),
    ],
)
def test_a_targets_star_takes_what_the_routes_star_matched(
    model: str, aliases: tuple[str, ...], target_model: str, asked: str, filled: str
) -> None:
    first = Target(provider="a", model=target_model, order=0, weight=3)
    second = Target(provider="b", model=target_model, order=1)
    one = ModelRoute(model=model, aliases=aliases, targets=(first,))
    two = ModelRoute(model=model, aliases=aliases, targets=(first, second))
    assert one.candidates(asked, 0) == (Target(provider="a", model=filled, order=0, weight=3),)
    assert [candidate.model for candidate in two.candidates(asked, 0)] == [filled, filled]


def test_refuses_a_route_that_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="needs a target"):
        ModelRoute(model="m", targets=())
    with pytest.raises(ValueError, match=r"more than one `\*`"):
        ModelRoute(model="a*b*", targets=(target("p"),))
    with pytest.raises(ValueError, match=r"more than one `\*`"):
        ModelRoute(model="a", aliases=("**",), targets=(target("p"),))
    with pytest.raises(ValueError, match="twice"):
        ModelRoute(model="m", targets=(target("p", 0), target("p", 1)))
    with pytest.raises(ValueError, match="output cap"):
        ModelRoute(model="m", targets=(target("p"),), output_cap=0)


def test_a_route_has_a_bounded_number_of_targets_and_names() -> None:
    targets = tuple(target(f"p{number}") for number in range(MOST_TARGETS + 1))
    aliases = tuple(f"a{number}" for number in range(MOST_ALIASES + 1))
    most = ModelRoute(model="m", targets=targets[1:], aliases=aliases[1:])
    assert len(most.candidates("m", 7)) == MOST_TARGETS
    with pytest.raises(ValueError, match="targets"):
        ModelRoute(model="m", targets=targets)
    with pytest.raises(ValueError, match="aliases"):
        ModelRoute(model="m", targets=targets[1:], aliases=aliases)


def test_refuses_a_target_that_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="weight"):
        target("p", weight=0)
    with pytest.raises(ValueError, match="one"):
        Target(provider="p", model="**")
