"""Organizations, teams and limits from the command line."""

import pytest

from command_line import Langroute, told


async def test_an_organization_lives_its_life(cli: Langroute) -> None:
    acme = await told(cli, "organizations", "set", "acme", "--model", "gpt-*")
    assert (acme["name"], acme["allowed_models"]) == ("acme", ["gpt-*"])
    renamed = await told(cli, "organizations", "set", "acme", "--rename", "ACME")
    assert renamed == {**acme, "name": "ACME"}
    assert await told(cli, "organizations", "show", acme["id"]) == renamed
    await told(cli, "teams", "set", "ACME/research")
    in_use = await cli("organizations", "remove", "ACME")
    assert in_use.returncode == 1
    assert "research" in in_use.stderr
    await told(cli, "teams", "set", "research", "--leave")
    assert (await cli("organizations", "remove", acme["id"])).stdout == "removed ACME\n"
    assert await told(cli, "organizations", "list") == []


async def test_a_team_lives_its_life(cli: Langroute) -> None:
    team = await told(cli, "teams", "set", "research", "--model", "*-mini")
    key = await told(cli, "keys", "issue", "--name", "app", "--team", "research")
    assert (key["team"], key["team_id"]) == ("research", team["id"])
    in_use = await cli("teams", "remove", "research")
    assert in_use.returncode == 1
    assert "app" in in_use.stderr
    assert "research" in (await cli("keys", "list")).stdout
    assert (await told(cli, "keys", "set", key["id"], "--leave-team"))["team"] is None
    every = await told(cli, "teams", "set", team["id"], "--every-model", "--rename", "lab")
    assert every == {**team, "name": "lab", "allowed_models": []}
    assert (await cli("teams", "remove", "lab")).stdout == "removed lab\n"
    assert await told(cli, "teams", "list") == []


@pytest.mark.parametrize("kind", ["organization", "team", "key"])
async def test_limits_are_set_listed_and_lifted(cli: Langroute, kind: str) -> None:
    making = ("keys", "issue") if kind == "key" else (f"{kind}s", "set", "acme")
    carrier = (f"--{kind}", (await told(cli, *making))["id"])
    budget = await told(
        cli, "limits", "set", "money", "12.50", *carrier, "--per", "month",
        "--zone", "Europe/Berlin", "--model", "gpt-*", "--end-user", "*",
    )  # fmt: skip
    assert {name: value for name, value in budget.items() if name != "id"} == {
        "measure": "money",
        "amount": "12.50",
        "per": "month",
        "zone": "Europe/Berlin",
        "model": "gpt-*",
        "end_user": "*",
        "tag": None,
        "soft": False,
    }
    set_slow = ("limits", "set", "tokens", *carrier, "--per", "90", "--tag", "x")
    slow = await told(cli, *set_slow, "500", "--soft")
    assert (slow["per"], slow["tag"], slow["soft"]) == (90, "x", True)
    raised = await told(cli, *set_slow, "600")
    assert raised == {**slow, "amount": "600", "soft": False}
    assert "12.50" in (await cli("limits", "list", *carrier)).stdout
    lifted = await cli("limits", "lift", budget["id"], *carrier)
    assert lifted.stdout == f"lifted {budget['id']}\n"
    assert (await cli("limits", "lift", budget["id"], *carrier)).returncode == 1
    assert await told(cli, "limits", "list", *carrier) == [raised]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("organizations", "show", "none"), "no organization"),
        (("organizations", "set", "none", "--rename", "some"), "no organization"),
        (("organizations", "set", "a/b"), "no '/'"),
        (("organizations", "set", "a", "--model", "**"), "'**'"),
        (("teams", "set", "none/research"), "no organization"),
        (("teams", "remove", "none"), "no team"),
        (("keys", "issue", "--team", "none"), "no team"),
        (("limits", "list"), "--organization"),
        (("limits", "list", "--team", "a", "--organization", "b"), "--organization"),
        (("limits", "set", "money", "much", "--team", "a"), "not a number"),
        (("limits", "set", "wishes", "3", "--team", "a"), "wishes"),
        (("limits", "lift", "mine", "--team", "a"), "UUID"),
    ],
)
async def test_wrong_use_is_told_in_one_line(
    cli: Langroute, arguments: tuple[str, ...], said: str
) -> None:
    done = await cli(*arguments)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_wrong_limit_is_told_by_its_field(cli: Langroute) -> None:
    await told(cli, "teams", "set", "research")
    for arguments, said in (
        (("money", "NaN", "--per", "day"), "'amount'"),
        (("tokens", "0.5", "--per", "day"), "'amount'"),
        (("money", "5"), "'per'"),
        (("money", "5", "--per", "year"), "'per'"),
        (("money", "5", "--per", "day", "--zone", "Berlin"), "'Berlin'"),
        (("money", "5", "--per", "hour", "--zone", "UTC"), "time zone"),
    ):
        done = await cli("limits", "set", *arguments, "--team", "research")
        assert done.returncode == 1, arguments
        assert said in done.stderr
        assert "Traceback" not in done.stderr
