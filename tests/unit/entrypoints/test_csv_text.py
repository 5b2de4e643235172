import csv
import io
from typing import Any

import pytest

from langroute.entrypoints.csv_text import csv_text


def test_rows_have_the_columns_that_are_wanted() -> None:
    rows = [
        {"a": 1, "b": {"c": None, "d": True}, "e": "x"},
        {"a": 2, "b": {"c": "ä,\n", "d": False}},
    ]

    text = csv_text(rows, ("a", "b.c", "b.d"))

    assert text == 'a,b.c,b.d\r\n1,,true\r\n2,"ä,\n",false\r\n'


def test_without_rows_there_are_headings() -> None:
    assert csv_text([], ("a", "b")) == "a,b\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_caller_chose_is_no_formula(text: str) -> None:
    (_, (cell,)) = csv.reader(io.StringIO(csv_text([{"name": text}], ("name",)), newline=""))

    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["-0.5", "-12", "plain", "", "a=b"])
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    (_, cells) = csv.reader(io.StringIO(csv_text([{"name": text, "n": 1}], ("name", "n"))))

    assert cells == [text, "1"]


def test_a_row_within_a_row_may_stand_in_one_cell() -> None:
    rows: list[dict[str, Any]] = [{"units": {"images": 2, "web_searches": 1}}, {"units": {}}]
    assert csv_text(rows, ("units",)) == 'units\r\nimages=2 web_searches=1\r\n""\r\n'
