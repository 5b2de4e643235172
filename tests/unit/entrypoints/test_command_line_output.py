import pytest

from langroute.entrypoints.cli.output import show, show_one, tell, tell_error

_NAMES = ["[/b]", "[red]x", "\x1b[31mred", "a\nb", "\x9b31m", "\u202eevil", "back\\"]


@pytest.mark.parametrize("name", _NAMES)
def test_what_somebody_has_chosen_is_shown_and_says_nothing_to_the_terminal(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = name if name.isprintable() else ascii(name)[1:-1]

    show([{"id": name, "names": [name]}], ("id", "names"), as_json=False)
    show_one({"name": name, "more": {"name": name}}, as_json=False)
    tell(f"removed {name}")
    tell_error(f"There is no team {name}.")

    said = capsys.readouterr()
    assert said.out.count(shown) == 5
    assert said.err.count(shown) == 1
    assert (said.out + said.err).replace("\n", "").isprintable()


def test_nothing_is_shown_as_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    show_one({"a": None, "b": [], "c": {}}, as_json=False)

    assert capsys.readouterr().out.split() == ["a", "-", "b", "-", "c", "-"]
