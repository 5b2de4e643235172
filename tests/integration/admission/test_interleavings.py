"""Whatever comes in whatever order: each store decides as the pure `Books` do."""

from functools import partial

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from interleaved_stores import InMemory, InPostgres, InValkey
from interleavings import Interleavings
from valkey_fixtures import Valkey

STEPS = 50
TIMES_IF_SLOW = 10


def expect_to_hold(machine: type[Interleavings], examples: int, config: pytest.Config) -> None:
    examples *= TIMES_IF_SLOW if config.getoption("--slow") else 1
    bounds = settings(max_examples=examples, stateful_step_count=STEPS, deadline=None)
    run_state_machine_as_test(machine, settings=bounds)


@pytest.mark.timeout(1200)
def test_a_gateway_that_counts_in_memory_decides_as_the_pure_books_do(
    pytestconfig: pytest.Config,
) -> None:
    class InOneProcess(Interleavings):
        stores_by = InMemory
        in_one_process = True

    expect_to_hold(InOneProcess, 100, pytestconfig)


@pytest.mark.timeout(1200)
def test_two_gateways_on_one_postgres_decide_as_the_pure_books_do(
    database_url: str, pytestconfig: pytest.Config
) -> None:
    class OnThisDatabase(Interleavings):
        stores_by = partial(InPostgres, database_url)

    expect_to_hold(OnThisDatabase, 12, pytestconfig)


@pytest.mark.timeout(1200)
def test_two_gateways_on_one_valkey_decide_as_the_pure_books_do(
    valkey_server: Valkey, pytestconfig: pytest.Config
) -> None:
    class OnThisServer(Interleavings):
        stores_by = partial(InValkey, valkey_server.url)
        apart_from_the_ledger = True

    expect_to_hold(OnThisServer, 30, pytestconfig)
