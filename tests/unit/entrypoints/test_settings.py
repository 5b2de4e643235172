import os
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from langroute.domain.limits import Limits
from langroute.domain.timeouts import Timeouts
from langroute.entrypoints.settings import (
    Settings,
    WrongSettings,
    environment_name,
    is_loopback,
    load_settings,
)

HEX_KEY = "0123456789abcdefABCDEF0123456789" * 2
URL = "postgresql://user:hunter2@db.test/langroute"
ADMIN_KEY = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings in the environment, and no `.env` file."""
    for name in os.environ:
        if name.upper().startswith("LANGROUTE_") or name.upper() in {
            "DATABASE_URL",
            "ENCRYPTION_KEY",
            "PORT",
        }:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def loaded(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def complaint(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(WrongSettings) as wrong:
        loaded(monkeypatch, **environment)
    # Nothing of the original error either, which holds the values.
    assert wrong.value.__cause__ is None
    assert wrong.value.__suppress_context__
    return str(wrong.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:hunter2@db.test/langroute"),
        ("DATABASE_URL", "hunter2"),
        ("ENCRYPTION_KEY", "hunter2"),
        ("ENCRYPTION_KEY", HEX_KEY + "00"),
        ("ENCRYPTION_KEY", HEX_KEY[:-1] + "g"),
        ("LANGROUTE_OLD_ENCRYPTION_KEYS", "hunter2"),
        ("LANGROUTE_OLD_ENCRYPTION_KEYS", f"{HEX_KEY},hunter2"),
        ("LANGROUTE_ADMIN_KEY", "hunter2"),
        ("LANGROUTE_ADMIN_KEY", "hunter2-and-an-ümlaut"),
        ("PORT", "65536"),
        ("PORT", "-12"),
        ("PORT", "hunter2"),
        ("LANGROUTE_DEV", "hunter2"),
        ("LANGROUTE_REQUESTS_PER_MINUTE", "-12"),
        ("LANGROUTE_REQUESTS_PER_MINUTE", "1.25"),
        ("LANGROUTE_TOKENS_PER_MINUTE", "hunter2"),
        ("LANGROUTE_DEFAULT_OUTPUT_CAP", "-12"),
        ("LANGROUTE_DEFAULT_OUTPUT_CAP", "12000000000"),
        ("LANGROUTE_TOKENS_PER_MINUTE", "12000000000000000"),
        ("LANGROUTE_TOTAL_TIMEOUT_S", "1e300"),
        ("LANGROUTE_MAX_BODY_BYTES", "12"),
        ("LANGROUTE_CONNECT_TIMEOUT_S", "-12"),
        ("LANGROUTE_FIRST_BYTE_TIMEOUT_S", "hunter2"),
        ("LANGROUTE_IDLE_TIMEOUT_S", "-12"),
        ("LANGROUTE_TOTAL_TIMEOUT_S", "nan"),
        ("LANGROUTE_SHUTDOWN_TIMEOUT_S", "-12"),
        ("LANGROUTE_DATABASE_POOL_SIZE", "1234"),
        ("LANGROUTE_MAX_CONNECTIONS", "-12"),
        ("LANGROUTE_LOG_LEVEL", "hunter2"),
    ],
)
def test_names_the_wrong_setting_and_does_not_show_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    said = complaint(monkeypatch, **{name: value})
    assert said.startswith(f"{name}: ")
    for part in value.split(","):
        assert part not in said
    assert "hunter2" not in said


def test_names_every_wrong_setting_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(
        monkeypatch, PORT="x", LANGROUTE_LOG_LEVEL="x", LANGROUTE_ADMIN_KEY="x", DATABASE_URL="x"
    )
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "DATABASE_URL",
        "LANGROUTE_ADMIN_KEY",
        "PORT",
        "LANGROUTE_LOG_LEVEL",
    ]


def test_a_database_of_ones_own_wants_an_encryption_key(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(monkeypatch, DATABASE_URL=URL)
    assert "ENCRYPTION_KEY" in said
    assert "hunter2" not in said
    settings = loaded(monkeypatch, ENCRYPTION_KEY=HEX_KEY)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == URL


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gateway.test"])
def test_a_host_that_others_can_reach_wants_an_admin_key(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    assert "LANGROUTE_ADMIN_KEY" in complaint(monkeypatch, LANGROUTE_HOST=host)
    settings = loaded(monkeypatch, LANGROUTE_ADMIN_KEY=ADMIN_KEY)
    assert (settings.host, settings.admin_key_text) == (host, ADMIN_KEY)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gateway.test"])
def test_development_is_never_open_to_others(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    said = complaint(
        monkeypatch, LANGROUTE_HOST=host, LANGROUTE_DEV="true", LANGROUTE_ADMIN_KEY=ADMIN_KEY
    )
    assert "LANGROUTE_HOST" in said
    assert ADMIN_KEY not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_development_is_open_on_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    settings = loaded(monkeypatch, LANGROUTE_HOST=host, LANGROUTE_DEV="1")
    assert is_loopback(settings.host)
    assert settings.dev
    assert settings.admin_key_text is None


@pytest.mark.parametrize(
    ("environment", "store"),
    [
        ({}, "memory"),
        ({"LANGROUTE_ADMISSION": "postgres"}, "postgres"),
        ({"LANGROUTE_WORKERS": "2"}, "postgres"),
        ({"LANGROUTE_WORKERS": "1", "LANGROUTE_ADMISSION": "memory"}, "memory"),
    ],
)
def test_several_workers_count_limits_together(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], store: str
) -> None:
    assert loaded(monkeypatch, **environment).admission_store == store


def test_several_workers_cannot_count_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    apart = {"LANGROUTE_WORKERS": "2", "LANGROUTE_ADMISSION": "memory"}
    assert "LANGROUTE_ADMISSION must not be memory" in complaint(monkeypatch, **apart)


def test_an_empty_setting_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    untouched = load_settings()
    empty = {environment_name(name): "" for name in Settings.model_fields}
    assert loaded(monkeypatch, **empty) == untouched


def test_a_secret_given_as_nothing_is_not_set() -> None:
    settings = load_settings(admin_key="", encryption_key="", database_url="")
    assert (settings.admin_key, settings.encryption_key, settings.database_url) == (
        None,
        None,
        None,
    )


def test_secrets_do_not_show_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        monkeypatch,
        DATABASE_URL=URL,
        ENCRYPTION_KEY=HEX_KEY,
        LANGROUTE_OLD_ENCRYPTION_KEYS=HEX_KEY,
        LANGROUTE_ADMIN_KEY=ADMIN_KEY,
    )
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert HEX_KEY not in shown
        assert ADMIN_KEY not in shown
        assert "hunter2" not in shown


def test_old_encryption_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = "a" * 64, "b" * 64
    settings = loaded(monkeypatch, LANGROUTE_OLD_ENCRYPTION_KEYS=f"{one}, {two}")
    assert [key.get_secret_value() for key in settings.old_encryption_keys] == [one, two]


def test_a_file_is_read_and_the_environment_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nLANGROUTE_LOG_LEVEL=debug\nSOMETHING_ELSE=x\n")
    settings = loaded(monkeypatch, PORT="2222")
    assert (settings.port, settings.log_level) == (2222, "debug")
    assert load_settings(port=3333).port == 3333


def test_a_wrong_value_in_the_file_is_not_shown_either(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("LANGROUTE_ADMIN_KEY=hunter2\n")
    assert "hunter2" not in complaint(monkeypatch)


def test_the_machines_own_name_is_not_taken_for_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, HOST="my-laptop").host == "127.0.0.1"


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("database_url", ("DATABASE_URL", "LANGROUTE_DATABASE_URL")),
        ("encryption_key", ("ENCRYPTION_KEY", "LANGROUTE_ENCRYPTION_KEY")),
        ("port", ("PORT", "LANGROUTE_PORT")),
        ("log_level", ("LANGROUTE_LOG_LEVEL",)),
    ],
)
def test_each_setting_is_read_under_its_names(
    monkeypatch: pytest.MonkeyPatch, field: str, names: tuple[str, ...]
) -> None:
    values = {
        "database_url": URL,
        "encryption_key": HEX_KEY,
        "port": "1234",
        "log_level": "error",
    }
    assert environment_name(field) == names[0]
    for name in names:
        with monkeypatch.context() as environment:
            environment.setenv("ENCRYPTION_KEY", HEX_KEY)
            environment.setenv(name, values[field])
            assert field in load_settings().model_fields_set


def test_becomes_limits_and_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        monkeypatch,
        LANGROUTE_REQUESTS_PER_MINUTE="7",
        LANGROUTE_TOKENS_PER_MINUTE="0",
        LANGROUTE_CONNECT_TIMEOUT_S="1",
        LANGROUTE_FIRST_BYTE_TIMEOUT_S="2",
        LANGROUTE_IDLE_TIMEOUT_S="3",
        LANGROUTE_TOTAL_TIMEOUT_S="4.5",
    )
    assert settings.default_limits == Limits(requests_per_minute=7, tokens_per_minute=0)
    assert settings.timeouts == Timeouts(connect_s=1, first_byte_s=2, idle_s=3, total_s=4.5)


def test_every_setting_says_what_it_decides() -> None:
    assert issubclass(Settings, BaseSettings)
    for name, field in Settings.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("localhost.evil.test", False),
        ("128.0.0.1", False),
    ],
)
def test_tells_this_machine_from_others(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback
