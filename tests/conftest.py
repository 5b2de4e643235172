pytest_plugins = ["postgres_fixtures", "gateway_fixtures", "upstreams.fixtures"]
