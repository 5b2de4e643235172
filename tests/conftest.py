pytest_plugins = ["postgres_fixtures", "gateway_fixtures", "server_process", "upstreams.fixtures"]
