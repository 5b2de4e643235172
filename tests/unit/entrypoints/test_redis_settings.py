import sys

import pytest

from langroute.entrypoints.settings import Settings, WrongSettings, load_settings

URL = "redis://:hunter2@cache.test:6379/0"


def given(**more: object) -> Settings:
    return load_settings(_env_file=None, **more)


@pytest.mark.parametrize(
    "url", [URL, "rediss://cache.test", "unix:///run/valkey.sock", "redis+cluster://cache.test"]
)
def test_limits_may_be_counted_in_redis(url: str) -> None:
    settings = given(admission="redis", redis_url=url)
    assert settings.admission_store == "redis"
    assert settings.redis_url_text == url
    assert "hunter2" not in repr(settings)


def test_that_wants_an_address() -> None:
    with pytest.raises(WrongSettings, match="LANGROUTE_REDIS_URL must be set"):
        given(admission="redis")


@pytest.mark.parametrize(
    "url", ["http://:hunter2@cache.test", "redis://:hunter2/cache.test", "redis://cache:hunter2"]
)
def test_a_wrong_address_is_not_shown(url: str) -> None:
    with pytest.raises(WrongSettings, match="LANGROUTE_REDIS_URL") as wrong:
        given(admission="redis", redis_url=url)
    assert "hunter2" not in str(wrong.value)


def test_without_the_extra_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(WrongSettings, match=r"pip install 'langroute\[redis\]'"):
        given(admission="redis", redis_url=URL)


def test_limits_are_shared_by_the_workers_unless_more_are_told_of() -> None:
    assert given(workers=3).sharers_of_limits == 3
    assert given(workers=3, sharers=12).sharers_of_limits == 12
