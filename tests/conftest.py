import pytest
from hypothesis import settings

pytest_plugins = [
    "compatibility",
    "postgres_fixtures",
    "gateway_fixtures",
    "command_line",
    "loopback_only",
    "server_process",
    "upstreams.fixtures",
    "every_upstream",
    "valkey_fixtures",
    "watched_gateway",
]

# A busy machine is no failure of the law.
settings.register_profile("langroute", deadline=None)
settings.register_profile("slow", deadline=None, max_examples=500)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="many more examples, and many more kills")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("slow" if config.getoption("--slow") else "langroute")
