from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from ...times import to_ns


def _text(given: object) -> object:
    """A number could be seconds, or thousandths of them."""
    if not isinstance(given, str | datetime):
        raise ValueError("must be a moment such as 2026-01-31T12:00:00Z")  # noqa: TRY004
    return given


def _tellable(moment: datetime) -> datetime:
    to_ns(moment)
    return moment


Moment = Annotated[datetime, BeforeValidator(_text), AfterValidator(_tellable)]
"""With an offset, or in UTC."""
