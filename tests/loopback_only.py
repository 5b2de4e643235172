"""Client libraries under test speak to this machine and to nobody else."""

import os
from collections.abc import Iterator

import pytest

from strangers import WATCH

# Read when the libraries are imported, so set before any test module is.
os.environ.update(
    LANGCHAIN_TRACING_V2="false",
    LANGSMITH_TRACING="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_TELEMETRY="False",
    OPENAI_AGENTS_DISABLE_TRACING="true",
)


@pytest.fixture
def loopback_only() -> Iterator[None]:
    """Fails the test in which a library looked up, or called, another machine."""
    WATCH.strangers.clear()
    WATCH.is_on = True
    yield
    WATCH.is_on = False
    assert WATCH.strangers == set()
