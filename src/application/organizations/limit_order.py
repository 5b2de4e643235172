from dataclasses import dataclass
from decimal import Decimal

from ...domain.errors import InvalidRequest
from ...domain.fields import path
from ...domain.limits import Limit, Measure, Sliding
from ...domain.money import Money
from ...domain.periods import FOR_GOOD, Every, Period
from ...domain.scopes import Scope

SLIDING = {"minute": 60, "hour": 3600}
CALENDAR = {"day": Every.DAY, "week": Every.WEEK, "month": Every.MONTH}
EVER = "ever"

_MOST = 10**15
_MAX_PATTERN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOrder:
    """A limit as an administrator describes it. `amount` is in US dollars for money.

    `per` is a number of seconds, "minute" or "hour", which slide; "day", "week" or "month", which
    are the calendar's in `zone`; or "ever", the only one for parallel calls, which may leave it
    out.
    """

    measure: Measure
    amount: Decimal
    per: int | str | None = None
    zone: str | None = None
    model: str | None = None
    end_user: str | None = None
    tag: str | None = None
    soft: bool = False

    def limit(self, scope: Scope, at: str = "") -> Limit:
        """`at` is where the order stands in the request. Raises InvalidRequest, naming the
        field."""
        for name in ("model", "end_user", "tag"):
            _check_pattern(getattr(self, name), path(at, name))
        try:
            return Limit(
                scope=scope,
                measure=self.measure,
                amount=self._amount(path(at, "amount")),
                window=self._window(at),
                model=self.model,
                end_user=self.end_user,
                tag=self.tag,
                soft=self.soft,
            )
        except ValueError as error:
            raise InvalidRequest(f"This is no limit: {error}.", param=at or "measure") from error

    def _amount(self, param: str) -> int:
        if not self.amount.is_finite() or not 0 <= self.amount <= _MOST:
            raise InvalidRequest(f"'{param}' must be from 0 to {_MOST}.", param=param)
        if self.measure is Measure.MONEY:
            try:
                return Money.from_usd(self.amount).pico
            except ValueError as error:
                raise InvalidRequest(
                    f"'{param}' must be US dollars with at most twelve decimals.", param=param
                ) from error
        whole = int(self.amount)
        if whole != self.amount:
            raise InvalidRequest(
                f"'{param}' must be a whole number of {self.measure}.", param=param
            )
        return whole

    def _window(self, at: str) -> Sliding | Period:
        param = path(at, "per")
        per = self.per
        if self.measure is Measure.PARALLEL:
            if per not in {None, EVER}:
                raise InvalidRequest("Parallel calls are limited at any time.", param=param)
            per = EVER
        if per is None:
            raise InvalidRequest(f"Missing required parameter: '{param}'.", param=param)
        if per in CALENDAR:
            return _period(CALENDAR[str(per)], self.zone, path(at, "zone"))
        if self.zone is not None:
            raise InvalidRequest(
                "A time zone goes with a day, a week or a month.", param=path(at, "zone")
            )
        if per == EVER:
            return FOR_GOOD
        return _sliding(per, param)


def _period(every: Every, zone: str | None, param: str) -> Period:
    if zone is None:
        return Period(every=every)
    try:
        return Period(every=every, zone=zone)
    except ValueError as error:
        raise InvalidRequest(f"{error}.", param=param) from error


def _sliding(per: int | str, param: str) -> Sliding:
    try:
        return Sliding(seconds=SLIDING[per] if isinstance(per, str) else per)
    except (LookupError, ValueError) as error:
        words = ", ".join((*SLIDING, *CALENDAR, EVER))
        raise InvalidRequest(
            f"'{param}' must be {words}, or a number of seconds, at most 31 days of them.",
            param=param,
        ) from error


def _check_pattern(pattern: str | None, param: str) -> None:
    if pattern is None:
        return
    if not pattern or len(pattern) > _MAX_PATTERN or pattern.count("*") > 1:
        raise InvalidRequest(
            f"'{param}' must have 1 to {_MAX_PATTERN} characters, with one '*' at most.",
            param=param,
        )
    if not pattern.isprintable():
        raise InvalidRequest(f"'{param}' must be printable.", param=param)
