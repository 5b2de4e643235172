"""What is supposed, in words and in JSON, comes to the same; a mistake is told by its field."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer

from langroute.application.ledger.simulation_order import LimitChange
from langroute.application.organizations.limit_order import LimitOrder
from langroute.domain.errors import InvalidRequest
from langroute.domain.limits import Measure
from langroute.domain.money import Money
from langroute.domain.scopes import ScopeKind
from langroute.entrypoints.checked import checked
from langroute.entrypoints.cli.supposed import (
    supposed_in,
    supposed_limit,
    supposed_price,
    supposed_route,
)
from langroute.entrypoints.http.management.simulation_bodies import SimulationBody

FROM = {"from": "2026-11-01T00:00:00Z"}


def body(**fields: Any) -> SimulationBody:
    return checked(SimulationBody, FROM | fields)


def test_a_limit_is_told_as_the_command_that_sets_it_tells_it() -> None:
    told = supposed_limit(
        "money 12.50 --team 'acme/big research' --per month --zone=Europe/Berlin"
        " --model 'gpt-*' --end-user '*' --tag x --soft"
    )

    (change,) = body(limits=[told]).order().limits

    assert change == LimitChange(
        kind=ScopeKind.TEAM,
        named="acme/big research",
        order=LimitOrder(
            measure=Measure.MONEY,
            amount=Decimal("12.50"),
            per="month",
            zone="Europe/Berlin",
            model="gpt-*",
            end_user="*",
            tag="x",
            soft=True,
        ),
    )


@pytest.mark.parametrize("amount", ["none", None])
def test_no_amount_lifts_a_limit(amount: str | None) -> None:
    in_words = supposed_limit("requests none --key web --per 90")
    assert in_words == {"measure": "requests", "amount": "none", "key": "web", "per": 90}

    (change,) = body(limits=[in_words | {"amount": amount}]).order().limits

    assert (change.lifted, change.order.per) == (True, 90)


def test_a_limit_as_it_was_read_may_be_sent_back() -> None:
    read = {"id": "x", "measure": "parallel", "amount": "3", "per": "ever", "zone": None}
    (change,) = body(limits=[read | {"organization": "*"}]).order().limits
    assert (change.named, change.order.amount, change.lifted) == ("*", Decimal(3), False)


def test_a_price_without_a_date_is_that_of_all_calls() -> None:
    always = supposed_price("openai gpt-4o --input 2.5 --output 10 --cached-input 1.25")
    dated = supposed_price(
        "openai gpt-4o --input 3 --output 10 --since 2026-11-02"
        " --unit images=0.04 --unit=requests=5"
    )

    first, second = body(prices=[always, dated]).order().prices

    assert (first.provider, first.model, first.effective_from_ns) == ("openai", "gpt-4o", 0)
    assert first.price.rates.cached_input == Money.from_usd("0.00000125")
    assert second.price.units.by_name == {
        "images": Money.from_usd("0.04"),
        "requests": Money.from_usd(5),
    }
    assert second.effective_from_ns == 1_793_577_600 * 10**9


def test_a_route_has_its_targets_in_order_and_by_weight() -> None:
    told = supposed_route("gpt-4o --to mistral/large@3,openai/gpt-4o --to ollama/llama3.2")

    (route,) = body(routes=[told]).order().routes

    assert route.model == "gpt-4o"
    assert [(t.provider, t.model, t.order, t.weight) for t in route.targets] == [
        ("mistral", "large", 0, 3),
        ("openai", "gpt-4o", 0, 1),
        ("ollama", "llama3.2", 1, 1),
    ]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"from": None}, "from"),
        ({"from": 1_700_000_000}, "from"),
        ({"frm": 1}, "frm"),
        ({"limits": [{"measure": "requests", "key": "a"}]}, "limits.0.amount"),
        ({"limits": [{"measure": "hats", "amount": 1, "key": "a"}]}, "limits.0.measure"),
        ({"limits": [{"measure": "money", "amount": True, "key": "a"}]}, "limits.0.amount"),
        ({"limits": [{"measure": "money", "amount": 1}]}, "limits.0"),
        ({"limits": [{"measure": "money", "amount": 1, "key": "a", "team": "b"}]}, "limits.0"),
        ({"limits": [{}] * 101}, "limits"),
        ({"prices": [{"provider": "p", "model": "m", "input": 1}]}, "prices.0.output"),
        (
            {"prices": [{"provider": "p", "model": "m", "input": 1, "output": 1, "tiers": [
                {"above_prompt_tokens": 2, "input": 1, "output": 1},
                {"above_prompt_tokens": 1, "input": 1, "output": 1},
            ]}]},
            "prices.0.tiers",
        ),
        ({"routes": [{"model": "m", "targets": []}]}, "routes.0.targets"),
        ({"routes": [{"model": "m\n", "targets": [{"provider": "p", "model": "m"}]}]},
         "routes.0.targets"),
        ({"scale": "2"}, "scale"),
        ({"without_limits": "no"}, "without_limits"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_its_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        body(**fields).order()
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("money", "AMOUNT is missing"),
        ("money 1 2 --key a", "'2' is one too many"),
        ("money 1 --key", "--key wants a value"),
        ("money '1", "quotation"),
    ],
)
def test_words_that_make_no_sense_are_refused(text: str, told: str) -> None:
    with pytest.raises(typer.BadParameter, match=told):
        supposed_limit(text)


def test_a_target_that_is_none_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="PROVIDER/MODEL"):
        supposed_route("gpt-4o --to mistral")


@pytest.mark.parametrize(
    ("content", "told"), [("{", "not valid JSON"), ("[]", "JSON object"), (None, "No such file")]
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "what-if.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(typer.BadParameter, match=told):
        supposed_in(file)
