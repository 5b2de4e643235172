"""What tests saw of providers and of client libraries, and the page that is made of it.

A test that is marked `shows("chat", …)` has seen it once it passes: of the `client` that the mark
names, or else of the provider that its parameter or the mark names. What has been seen stands in
`compatibility.json`; what is new there fails until it is recorded:

    python -m pytest tests --record-compatibility
    python -m tests.compatibility

A run of some tests adds what they see; only a run of all of them forgets what no test sees now.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

_SEEN = Path(__file__).with_name("compatibility.json")
PAGE = Path(__file__).parents[1] / "docs/compatibility.md"
FEATURES = (
    *("chat", "stream", "usage in streams", "tools", "tools in streams", "parallel tools"),
    *("JSON schema", "vision", "reasoning", "embeddings", "models", "token counts"),
    *("typed errors", "waits told", "broken streams", "leaving"),
)
# Of providers, beside chats.
PATHS = (
    *("Responses", "Messages", "text completions", "embeddings", "moderations"),
    *("images", "image edits", "speech", "transcriptions", "translations"),
)
_COLUMNS = tuple(dict.fromkeys((*FEATURES, *PATHS)))
# A parameter of a test that names a provider, and who plays it.
_PLAYED_BY = {"double": "ours", "theirs": "llmock", "at_aimock": "aimock"}
# Under which reports tell of it.
_SHOWS = "shows"
Seen = dict[str, dict[str, dict[str, list[str]]]]
# Table, row, column, and who answered.
_Claim = tuple[str, str, str, str]


def seen() -> Seen:
    told: Seen = orjson.loads(_SEEN.read_bytes()) if _SEEN.exists() else {}
    return told


def rendered(told: Seen) -> str:
    parts = [
        f"## {title}\n\n{text}\n\n{_table(told.get(table, {}))}"
        for table, (title, text) in _TABLES.items()
    ]
    return "\n".join([_HEAD, *parts])


def _table(rows: Mapping[str, Mapping[str, list[str]]]) -> str:
    features = [name for name in _COLUMNS if any(name in row for row in rows.values())]
    head = [["", *features], ["---"] * (len(features) + 1)]
    body = [[who, *(", ".join(row.get(f, ())) for f in features)] for who, row in rows.items()]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in [*head, *body])


@dataclass(slots=True, eq=False)
class _Recorder:
    """Also of tests that ran in other processes: it goes by their reports."""

    records: bool
    recorded: Seen = field(default_factory=seen)
    claims: set[_Claim] = field(default_factory=set)
    skipped: bool = False

    def fault(self, claim: _Claim) -> str | None:
        """What is wrong with the claim, if anything is."""
        table, who, feature, by = claim
        if feature not in _COLUMNS:
            return f"{feature!r} is not among the FEATURES and PATHS of {__name__}"
        if self.records or by in self.recorded.get(table, {}).get(who, {}).get(feature, ()):
            return None
        return f"{who}: {feature} ({by}) is not recorded; tests/compatibility.py tells how"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        claims: list[Any] = [told for name, told in report.user_properties if name == _SHOWS]
        if report.when == "call" and report.passed:
            self.claims.update(claims)
        self.skipped |= report.skipped and bool(claims)

    def as_seen(self, *, and_before: bool = False) -> Seen:
        told: Seen = {}
        before = _flat(self.recorded) if and_before else set()
        for table, who, feature, by in sorted(self.claims | before, key=_order):
            told.setdefault(table, {}).setdefault(who, {}).setdefault(feature, []).append(by)
        return told


def _flat(told: Seen) -> set[_Claim]:
    return {
        (table, who, feature, by)
        for table, rows in told.items()
        for who, row in rows.items()
        for feature, seen_by in row.items()
        for by in seen_by
    }


def _order(claim: _Claim) -> tuple[str, str, int, str]:
    table, who, feature, by = claim
    return table, who.lower(), _COLUMNS.index(feature), by


def _claims(item: pytest.Item) -> Iterator[_Claim]:
    params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    for mark in item.iter_markers("shows"):
        client = mark.kwargs.get("client")
        kind = _kind(mark, params)
        if client is not None:
            for feature in mark.args:
                yield "clients", client.format(**params), feature, kind or "openai"
            continue
        players = [(str(params[name]), by) for name, by in _PLAYED_BY.items() if name in params]
        if not players and kind is not None:
            players = [(kind, "ours")]
        for who, by in players:
            for feature in mark.args:
                yield "paths" if feature in PATHS else "providers", who, feature, by


def _kind(mark: pytest.Mark, params: Mapping[str, Any]) -> str | None:
    """Of the provider that the mark, or the test's parameter, names, or whose model that names."""
    if (named := mark.kwargs.get("provider") or params.get("provider")) is not None:
        return str(named)
    model = params.get("model")
    return model and ("mistral" if str(model).startswith("mistral") else "openai")


_RECORDER = pytest.StashKey[_Recorder]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-compatibility", action="store_true", help="write what tests see")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "shows(*features, client, provider): what is seen by passing"
    )
    recorder = _Recorder(bool(config.getoption("--record-compatibility")))
    config.stash[_RECORDER] = recorder
    config.pluginmanager.register(recorder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    claims = list(_claims(item))
    report.user_properties += [(_SHOWS, claim) for claim in claims]
    if call.when == "call" and report.passed:
        recorder = item.config.stash[_RECORDER]
        wrong = [fault for claim in claims if (fault := recorder.fault(claim))]
        if wrong:
            report.outcome, report.longrepr = "failed", "\n".join(wrong)
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    recorder = session.config.stash[_RECORDER]
    is_a_part = hasattr(session.config, "workerinput")  # with pytest-xdist, of one process
    if exitstatus != pytest.ExitCode.OK or session.config.option.collectonly or is_a_part:
        return
    told = recorder.as_seen()
    is_whole = _is_whole_run(session.config) and not recorder.skipped
    if recorder.records:
        if not is_whole:
            told = recorder.as_seen(and_before=True)
        _SEEN.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    elif told != recorder.recorded and is_whole:
        # Else a claim could outlive the test that made it.
        beyond = sorted(_flat(recorder.recorded) - _flat(told), key=_order)
        print(f"\n{_SEEN.name} tells of more than this run saw: {beyond}")  # noqa: T201
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _is_whole_run(config: pytest.Config) -> bool:
    some = any(config.getoption(name, None) for name in ("keyword", "markexpr", "lf", "deselect"))
    return list(config.args) == list(config.getini("testpaths")) and not some


_HEAD = """# Compatibility

<!-- Written by `python -m tests.compatibility` from what tests saw: change those. -->

What the tests have seen, and against what. **No vendor's own server was asked**: a cell names the
double that answered, over real HTTP. An empty cell says that no test tried, not that it fails.
"""
_TABLES = {
    "providers": (
        "Providers",
        """A row is a kind of provider, asked in OpenAI's chat format. `ours` are the doubles in
`tests/upstreams` (for Azure a small one in its test), strict about what their vendors' documents
say; `llmock` and `aimock` are the packages of those names, which others wrote.""",
    ),
    "paths": (
        "Other formats and operations",
        """A row is a kind of provider, once more, asked for what is no chat of OpenAI's: as it
came where it speaks the format itself, translated where it does not. The doubles are ours.""",
    ),
    "clients": (
        "Client libraries",
        """A library, unmodified, that was given a base URL, a key and the name of a model. A cell
names the kinds of provider that answered, doubles of ours.""",
    ),
}

if __name__ == "__main__":
    PAGE.write_text(rendered(seen()))
