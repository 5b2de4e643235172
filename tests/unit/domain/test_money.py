from decimal import Decimal, localcontext
from typing import Any

import pytest
from domain_values import amounts
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.money import PICO_PER_USD, ZERO, Money


@given(st.integers(-(10**30), 10**30))
def test_a_decimal_of_dollars_with_twelve_digits_is_taken_exactly(pico: int) -> None:
    sign, digits = "-" if pico < 0 else "", str(abs(pico)).rjust(13, "0")
    text = f"{sign}{digits[:-12]}.{digits[-12:]}"
    assert Money.from_usd(text).pico == pico
    assert Money.from_usd(Decimal(text)).pico == pico


@given(st.integers(-(10**6), 10**6), st.integers(13, 40), st.integers(1, 9))
def test_refuses_an_amount_finer_than_a_pico_dollar(usd: int, place: int, digit: int) -> None:
    with pytest.raises(ValueError, match="pico-dollars"):
        Money.from_usd(f"{usd}.{'0' * (place - 1)}{digit}")


def test_refuses_a_large_amount_that_pythons_own_decimals_would_round() -> None:
    with pytest.raises(ValueError, match="pico-dollars"):
        Money.from_usd("10000000000000000.0000000000001")
    assert Money.from_usd("12345678901234567890.123456789012").pico == int(
        "12345678901234567890123456789012"
    )


@pytest.mark.parametrize(
    "wrong", ["NaN", "sNaN", "Infinity", "-Infinity", "", "free", "1,5", "1e100", "1e999999999"]
)
def test_refuses_what_is_not_an_amount_of_money(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.from_usd(wrong)
    if wrong in {"NaN", "sNaN", "Infinity", "-Infinity"}:
        with pytest.raises(ValueError, match="not an amount"):
            Money.from_usd(Decimal(wrong))


@given(amounts())
def test_text_and_dollars_come_back_as_the_same_money(money: Money) -> None:
    assert Money.from_usd(str(money)) == money
    assert Money.from_usd(money.usd) == money


@given(amounts())
def test_a_decimal_context_of_somebody_elses_changes_nothing(money: Money) -> None:
    with localcontext(prec=3):
        assert Money.from_usd(str(money)) == money
        assert Money.from_usd(money.usd) == money


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "0.00"),
        (1, "0.000000000001"),
        (-1, "-0.000000000001"),
        (PICO_PER_USD, "1.00"),
        (PICO_PER_USD // 2, "0.50"),
        (-3 * PICO_PER_USD // 2, "-1.50"),
        (1234 * PICO_PER_USD + 560_000_000_000, "1234.56"),
        (123_400_000, "0.0001234"),
    ],
)
def test_is_written_with_two_decimals_or_as_many_as_it_has(pico: int, text: str) -> None:
    assert str(Money(pico)) == text


@given(amounts(), amounts(), st.integers(-(10**9), 10**9))
def test_adding_subtracting_and_multiplying_are_exact(a: Money, b: Money, count: int) -> None:
    assert (a + b).pico == a.pico + b.pico
    assert a + b - b == a
    assert (a * count).pico == a.pico * count
    assert a + ZERO == a
    assert (a < b) == (a.pico < b.pico)


@pytest.mark.parametrize("wrong", [1.0, 0.5, True, False, Decimal(1), "2", None])
def test_is_multiplied_by_whole_counts_only(wrong: Any) -> None:
    with pytest.raises(TypeError):
        _ = Money(100) * wrong


@pytest.mark.parametrize("wrong", [1.0, True, Decimal(1), "1", None])
def test_is_made_of_whole_pico_dollars_only(wrong: Any) -> None:
    with pytest.raises(TypeError, match="whole pico-dollars"):
        Money(wrong)


def test_a_number_does_not_multiply_money_from_the_left() -> None:
    number: Any = 2
    with pytest.raises(TypeError):
        _ = number * Money(1)
