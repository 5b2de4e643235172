from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Self

PICO_PER_USD = 10**12

# Of our own: Python's default one rounds at 28 digits, and an embedding application may have set
# another. Here, whatever would be rounded is an error.
_DIGITS = 60
_EXACT = Context(prec=_DIGITS, Emax=_DIGITS, traps=[Inexact, InvalidOperation, Overflow])


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An exact amount of US dollars, as a whole number of pico-dollars.

    A list price with up to six decimals a million tokens is a whole number a token, so nothing
    is rounded before it is shown.
    """

    pico: int

    def __post_init__(self) -> None:
        if type(self.pico) is not int:
            raise TypeError(f"Money takes whole pico-dollars, not {type(self.pico).__name__}")

    @classmethod
    def from_usd(cls, usd: Decimal | str | int) -> Self:
        """Raises ValueError where the amount is finer than a pico-dollar, or is not a number."""
        try:
            pico = _EXACT.multiply(Decimal(usd), PICO_PER_USD)
            return cls(int(pico.to_integral_exact(context=_EXACT)))
        except (ArithmeticError, ValueError) as error:
            raise ValueError(f"{usd!r} is not an amount of money in whole pico-dollars") from error

    @property
    def usd(self) -> Decimal:
        return _EXACT.divide(self.pico, PICO_PER_USD)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.pico + other.pico)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.pico - other.pico)

    def __mul__(self, count: int) -> "Money":
        if type(count) is not int:
            raise TypeError("Money is multiplied by whole counts only")
        return Money(self.pico * count)

    def __str__(self) -> str:
        """Dollars with every digit that is not a trailing zero, and two decimals at least."""
        sign = "-" if self.pico < 0 else ""
        whole, fraction = divmod(abs(self.pico), PICO_PER_USD)
        return f"{sign}{whole}.{f'{fraction:012d}'.rstrip('0').ljust(2, '0')}"


ZERO = Money(0)
