"""What the sums by day tell of limits, in far fewer rows than there were calls; and what all
statements about that share."""

from typing import NamedTuple

from ...domain.limits import Measure
from ...domain.money import PICO_PER_USD
from ...domain.scopes import ScopeKind
from ...domain.usage import TOKEN_CLASSES
from .postings import LONGEST_NAME

SCOPE_COLUMNS = {
    ScopeKind.KEY: "key_id",
    ScopeKind.TEAM: "team_id",
    ScopeKind.ORGANIZATION: "organization_id",
}
_TOKENS = " + ".join(f"entry.{name}_tokens" for name in TOKEN_CLASSES)
USED = {
    Measure.REQUESTS: "(entry.number = 0)::int",
    Measure.TOKENS: f"({_TOKENS})",
    Measure.MONEY: f"entry.cost_usd * {PICO_PER_USD}",
}
_SUMMED_UP = {
    Measure.REQUESTS: "summed.calls",
    Measure.TOKENS: "summed.prompt_tokens + summed.completion_tokens",
    Measure.MONEY: f"summed.cost_usd * {PICO_PER_USD}",
}
ASKED = "unnest(cast(:ids as uuid[]), cast(:scopes as uuid[])) as asked (id, scope)"


class Days(NamedTuple):
    """Which of them, as a condition on sums, and on entries."""

    sums: str
    entries: str


EVER = Days("true", "true")
WHOLE_DAYS = Days(
    "summed.day >= cast(:first_day as timestamptz) at time zone 'UTC'"
    " and summed.day < cast(:last_day as timestamptz) at time zone 'UTC'",
    "entry.at >= :first_day and entry.at < :last_day",
)


def daily(scope: ScopeKind, measure: Measure, names: tuple[str, ...], days: Days) -> str:
    """Rows of id, what `names` tell and amount, from the sums by day. But for names that are cut
    off there: their calls, if there are any, are looked through."""
    sums = f"langroute.rollups summed on summed.{SCOPE_COLUMNS[scope]} = asked.scope"
    entries = f"langroute.ledger entry on entry.{SCOPE_COLUMNS[scope]} = asked.scope"
    in_sums = {"model": ", summed.model", "tag": ", nullif(summed.tag, '') as tag"}
    return f"""
        select asked.id{"".join(in_sums[name] for name in names)}, {_SUMMED_UP[measure]} as amount
        from {ASKED} join {sums} where {days.sums} and not {may_be_cut("summed", names)}
        union all
        select asked.id{told_by("entry", names)}, {USED[measure]}
        from {ASKED} join {entries}
        where {days.entries} and {may_be_cut("entry", names)} and exists (
            select from {ASKED} join {sums} where {days.sums} and {may_be_cut("summed", names)}
        )
    """  # noqa: S608  (names of ours)


def told_by(row: str, names: tuple[str, ...]) -> str:
    return "".join(f", {row}.{name}" for name in names)


def may_be_cut(row: str, names: tuple[str, ...]) -> str:
    cut = " or ".join(f"length({row}.{name}) >= {LONGEST_NAME}" for name in names)
    return f"({cut or 'false'})"
