import re

from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.patterns import matched_by_star

TEXT = st.text(alphabet="ab-", max_size=6)


@given(TEXT, TEXT)
def test_a_pattern_without_a_star_matches_itself_only(pattern: str, text: str) -> None:
    assert matched_by_star(pattern, text) == ("" if pattern == text else None)


@given(TEXT, TEXT, TEXT)
def test_the_star_stands_for_whatever_lies_between(before: str, star: str, after: str) -> None:
    assert matched_by_star(f"{before}*{after}", before + star + after) == star


@given(TEXT, TEXT, TEXT)
def test_agrees_with_a_regular_expression(before: str, after: str, text: str) -> None:
    found = re.fullmatch(f"{re.escape(before)}(.*){re.escape(after)}", text)
    assert matched_by_star(f"{before}*{after}", text) == (found.group(1) if found else None)


def test_the_two_ends_of_a_pattern_do_not_share_letters() -> None:
    assert matched_by_star("aba*aba", "aba") is None
    assert matched_by_star("aba*aba", "ababa") is None
    assert matched_by_star("aba*aba", "abaaba") == ""
