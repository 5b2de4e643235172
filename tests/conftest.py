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
]

# A busy machine is no failure of the law.
settings.register_profile("langroute", deadline=None)
settings.load_profile("langroute")
