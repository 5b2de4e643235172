import subprocess
import sys
from pathlib import Path

import pytest

from langroute.entrypoints.encryption import encryption_keys
from langroute.entrypoints.settings import Settings, load_settings

MINE, OLD, OLDER = "a1" * 32, "b2" * 32, "c3" * 32

# Waits until all are ready to run, then asks for the key.
_ASK = """
import sys
from langroute.entrypoints.encryption import encryption_keys
from langroute.entrypoints.settings import load_settings
settings = load_settings(_env_file=None, data_dir=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(encryption_keys(settings)[0].hex())
"""


def settings_in(data_dir: Path, **given: object) -> Settings:
    return load_settings(_env_file=None, data_dir=data_dir, **given)


@pytest.fixture(autouse=True)
def without_a_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENCRYPTION_KEY", "LANGROUTE_ENCRYPTION_KEY", "LANGROUTE_OLD_ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)


def test_the_key_that_is_set_seals_and_the_older_ones_still_open(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, encryption_key=MINE, old_encryption_keys=f"{OLD},{OLDER}")
    assert encryption_keys(settings) == [bytes.fromhex(each) for each in (MINE, OLD, OLDER)]
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_once_and_kept_for_this_user_only(tmp_path: Path) -> None:
    data_dir = tmp_path / "made" / "when" / "needed"
    (key,) = encryption_keys(settings_in(data_dir))
    assert len(key) == 32
    assert encryption_keys(settings_in(data_dir)) == [key]
    (kept,) = data_dir.iterdir()  # and no draft is left
    assert kept.stat().st_mode & 0o777 == 0o600
    assert bytes.fromhex(kept.read_text()) == key


def test_no_two_gateways_make_the_same_key(tmp_path: Path) -> None:
    assert encryption_keys(settings_in(tmp_path / "a")) != encryption_keys(
        settings_in(tmp_path / "b")
    )


def test_a_kept_key_opens_still_once_another_one_is_set(tmp_path: Path) -> None:
    (kept,) = encryption_keys(settings_in(tmp_path))
    settings = settings_in(tmp_path, encryption_key=MINE, old_encryption_keys=kept.hex())
    assert encryption_keys(settings) == [bytes.fromhex(MINE), kept]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    def begin() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", _ASK, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with begin() as one, begin() as other:
        for each in (one, other):
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in (one, other):
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        told = {each.communicate()[0].strip() for each in (one, other)}
    assert len(told) == 1
    assert encryption_keys(settings_in(tmp_path))[0].hex() in told
    assert [path.name for path in tmp_path.iterdir()] == ["encryption.key"]
