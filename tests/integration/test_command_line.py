import json

import pytest

from command_line import Langroute, told


async def test_a_key_lives_its_life(cli: Langroute) -> None:
    made = await told(cli, "keys", "issue", "--name", "web", "--rpm", "5", "--tpm", "-1")
    assert made["virtual_key"].startswith("lrvk_")
    assert (made["requests_per_minute"], made["tokens_per_minute"]) == (5, None)
    changed = await told(cli, "keys", "set", made["id"], "--model", "gpt-*", "--rpm", "7")
    assert (changed["requests_per_minute"], changed["allowed_models"]) == (7, ["gpt-*"])
    rotated = await told(cli, "keys", "rotate", made["id"])
    assert rotated["virtual_key"] != made["virtual_key"]
    assert (await told(cli, "keys", "revoke", made["id"]))["state"] == "revoked"
    (listed,) = await told(cli, "keys", "list")
    assert listed["name"] == "web"
    assert "virtual_key" not in listed
    table = await cli("keys", "list")
    assert "web" in table.stdout
    assert "revoked" in table.stdout


async def test_providers_routes_and_prices_are_defined(cli: Langroute) -> None:
    base_url = "http://localhost:11434/v1/"
    provider = await told(
        cli, "providers", "set", "ollama", "--base-url", base_url, "--no-needs-credential"
    )
    assert provider == {
        "name": "ollama",
        "kind": "openai",
        "base_url": "http://localhost:11434/v1",
        "needs_credential": False,
    }
    route = await told(
        cli, "routes", "set", "fast", "--to", "openai/gpt-4o-mini@3,ollama/llama3.2",
        "--to", "mistral/mistral-small-latest", "--alias", "quick", "--unsupported", "refuse",
        "--unbounded", "debt",
    )  # fmt: skip
    assert route["unbounded"] == "debt"
    assert route["unsupported"] == "refuse"
    assert [(t["provider"], t["order"], t["weight"]) for t in route["targets"]] == [
        ("openai", 0, 3),
        ("ollama", 0, 1),
        ("mistral", 1, 1),
    ]
    price = await told(
        cli, "prices", "set", "ollama", "llama3.2", "--input", "0.1", "--output", "0.2"
    )
    assert (price["input"], price["output"]) == ("0.1", "0.2")
    assert price["image_input"] is None
    rates = {
        "input": "5",
        "output": "10",
        "cached_input": "1.25",
        "cache_write": "6.25",
        "cache_write_1h": "10",
        "audio_input": "40",
        "image_input": "8",
        "reasoning": "11",
        "audio_output": "80",
        "image_output": "32",
    }
    options = (f"--{name.replace('_', '-')}={usd}" for name, usd in rates.items())
    price = await told(cli, "prices", "set", "openai", "gpt-image-1.5", *options)
    assert {name: price[name] for name in rates} == rates
    in_use = await cli("providers", "remove", "ollama")
    assert in_use.returncode == 1
    assert "fast" in in_use.stderr
    assert (await cli("routes", "remove", "fast")).returncode == 0
    assert (await cli("providers", "remove", "ollama")).returncode == 0


async def test_a_credential_is_read_from_standard_input_and_sealed_anew(
    cli: Langroute, database_url: str
) -> None:
    done = await cli("providers", "credential", "openai", standard_input="sk-secret\n")
    assert done.returncode == 0, done.stderr
    assert "sk-secret" not in done.stdout + done.stderr
    new_key = {"ENCRYPTION_KEY": "1e" * 32, "LANGROUTE_OLD_ENCRYPTION_KEYS": "0f" * 32}
    lost = await cli("providers", "reseal", "--json", ENCRYPTION_KEY="1e" * 32)
    assert lost.returncode == 1
    assert json.loads(lost.stdout)["unreadable"] == ["openai:shared"]
    assert (await told(cli, "providers", "reseal", **new_key))["resealed"] == 1
    assert (await told(cli, "providers", "reseal", **new_key))["already_current"] == 1
    assert (await cli("providers", "credential", "openai", "--remove")).returncode == 0
    assert (await cli("providers", "credential", "openai", "--remove")).returncode == 1


async def test_seeding_again_changes_nothing(cli: Langroute) -> None:
    await told(cli, "seed")
    before = await told(cli, "routes", "list")
    assert await told(cli, "seed") == {"providers": 0, "routes": 0, "prices": 0}
    assert await told(cli, "routes", "list") == before
    prices = await told(cli, "prices", "list", "--provider", "openai")
    turbo = next(row for row in prices if row["model"] == "gpt-3.5-turbo")
    assert (turbo["input"], turbo["output"]) == ("0.5", "1.5")
    models = {target["model"] for route in before for target in route["targets"]}
    priced = {row["model"] for row in await told(cli, "prices", "list")}
    assert models - {"omni-moderation-latest"} <= priced, "which is free"


async def test_migrations_go_down_and_up(cli: Langroute) -> None:
    await told(cli, "keys", "issue")
    count = ("psql", "-At", "-c", "SELECT count(*) FROM langroute.virtual_keys")
    assert (await cli(*count)).stdout == "1\n"
    assert (await cli("migrate", "--down-to", "base")).returncode == 0
    assert (await cli(*count)).returncode == 1
    assert (await cli("migrate")).returncode == 0
    assert (await cli(*count)).stdout == "0\n"


async def test_psql_opens_the_database(cli: Langroute) -> None:
    done = await cli("psql", "-At", "-c", "SELECT count(*) FROM langroute.virtual_keys")
    assert done.stdout.strip() == "0"
    assert (await cli("psql", "-c", "SELECT nonsense")).returncode == 1


async def test_what_was_spent_is_empty_at_first(cli: Langroute) -> None:
    assert await told(cli, "spend", "--by", "model") == []
    assert await told(cli, "ledger") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("routes", "set", "m", "--to", "nonsense"), "PROVIDER/MODEL"),
        (("routes", "set", "m", "--to", "none/m"), "none"),
        (("routes", "set", "m", "--to", "openai/m", "--unsupported", "ignore"), "ignore"),
        (
            ("prices", "set", "openai", "m", "--input", "0.0000001", "--output", "1"),
            "6 decimal places",
        ),
        (("keys", "show", "00000000-0000-0000-0000-000000000000"), "no virtual key"),
        (("keys", "show", "me"), "UUID"),
        (("prices", "set", "openai", "m", "--input", "1e30", "--output", "1"), "'input'"),
        (("prices", "set", "openai", "", "--input", "1", "--output", "1"), "'model'"),
        (
            ("prices", "set", "openai", "m", "--input=1", "--output=1", "--unit", "images=NaN"),
            "'units.images'",
        ),
        (
            ("prices", "set", "openai", "m", "--input=1", "--output=1", "--service", "No"),
            "'service'",
        ),
        (("routes", "set", "m", "--to", f"openai/m@{'9' * 5000}"), "WEIGHT"),
        (("routes", "set", "m", "--to", "openai/m@10000000"), "'targets.0.weight'"),
        (("routes", "set", "m", "--to", "openai/m", "--output-cap", "99999999999"), "'output_cap'"),
        (("limits", "set", "money", "[/x]", "--team", "t"), "'[/x]' is not a number"),
        (("limits", "set", "requests", "5", "--team", "t", "--per", "9" * 5000), "no team 't'"),
        (("routes", "remove", "[/x]"), "no route '[/x]'"),
        (("ledger", "correct", f"req_{'0' * 32}", "--reason", "r", "--cost", "-1"), "'cost_usd'"),
        (
            (
                *("ledger", "correct", f"req_{'0' * 32}", "--reason", "r"),
                *("--tokens", "output=9999999999999999"),
            ),
            "'usage.output'",
        ),
        (("spend", "--by", "colour"), "colour"),
        (("spend", "--team", "none"), "no team 'none'"),
        (("spend", "--since", "0001-01-01"), "after 1970"),
        (("spend", "--since", "2026-01-02", "--until", "2026-01-01"), "later than 'from'"),
        (("audit", "--until", "9999-12-31"), "after 1970"),
        (("keys", "issue", "--expires", "9999-12-31"), "after 1970"),
        (
            ("prices", "set", "openai", "m", "--input=1", "--output=1", "--since", "0001-01-01"),
            "after 1970",
        ),
        (("routes", "set", "m", "--to", "openai/m", "--unbounded", "allow"), "allow"),
        (
            ("routes", "set", "m", "--to", ",".join(f"openai/m{number}" for number in range(51))),
            "more than 50 targets",
        ),
    ],
)
async def test_wrong_use_is_told_in_one_line(
    cli: Langroute, arguments: tuple[str, ...], said: str
) -> None:
    done = await cli(*arguments)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_call_is_corrected_and_reported(cli: Langroute) -> None:
    added = """insert into langroute.ledger (
        at, request_id, key_id, duration_ns, model, outcome, attempts, streamed, output_tokens
    ) values (
        now(), '01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000002',
        1, 'm', 'expired', 0, true, 40
    )"""
    assert (await cli("psql", "-c", added)).returncode == 0
    call = "req_01890000000070008000000000000001"

    corrected = await told(
        cli,
        *("ledger", "correct", call, "--reason", "it was cut off"),
        *("--cost", "0.25", "--tokens", "output=4"),
    )
    assert corrected["comes_to"]["cost_usd"] == "0.25"
    assert await told(cli, "ledger", "show", call) == corrected
    shown = await cli("ledger", "show", call)
    assert "it was cut off" in shown.stdout
    (entry,) = await told(cli, "ledger")
    assert (entry["request_id"], entry["cost_usd"]) == (call, "0.00")
    as_csv = await cli("ledger", "--csv")
    assert call in as_csv.stdout
    wrong = await cli("ledger", "correct", call, "--reason", "r", "--tokens", "words=4")
    assert wrong.returncode == 1
    assert "words" in wrong.stderr
    by_day = await cli("spend", "--by", "day", "--csv")
    assert by_day.stdout.splitlines()[0].startswith("name,calls,prompt_tokens")
