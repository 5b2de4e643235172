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
settings.load_profile("langroute")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="and what takes minutes, marked slow")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts, kills and restarts gateways for minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever names a file wants it."""
    names_files = list(config.args) != list(config.getini("testpaths"))
    if names_files or config.getoption("--slow"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]
