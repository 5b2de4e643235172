import re
from pathlib import Path

from langroute.adapters.wire.codecs import all_codecs, default_urls
from langroute.entrypoints.cli.settings import settings_rows
from langroute.entrypoints.http import errors as http_errors

_ROOT = Path(__file__).parents[2]


def test_the_settings_page_is_what_the_settings_are() -> None:
    page = (_ROOT / "docs/configuration.md").read_text()
    rows = [_row(**row) for row in settings_rows()]
    assert [line for line in page.splitlines() if line.startswith("| `")] == rows


def test_the_errors_page_names_every_code() -> None:
    page = (_ROOT / "docs/errors.md").read_text()
    source = Path(http_errors.__file__).read_text()
    codes = set(re.findall(r'code="([a-z_]+)"', source))
    codes |= set(re.findall(r'_provider\(\d+, "([a-z_]+)"', source))
    assert codes
    assert {code for code in codes if code not in page} == set()


def test_the_management_page_tells_every_kind_and_its_default_address() -> None:
    page = (_ROOT / "docs/management.md").read_text()
    told = dict(re.findall(r"^\| `([a-z]+)` \| (?:`(https?://[^`]+)` )?\|$", page, re.MULTILINE))
    assert told == {kind: url or "" for kind, url in default_urls(all_codecs()).items()}


def test_documents_link_to_what_is_there() -> None:
    for page in [*_ROOT.glob("*.md"), *_ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def _row(name: str, default: str, meaning: str) -> str:
    shown = f"`{default}`" if default else ""
    return f"| `{name}` | {shown} | {meaning} |"
