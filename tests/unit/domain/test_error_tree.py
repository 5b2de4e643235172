import inspect
import re

import pytest

from langroute.domain import errors
from langroute.domain.attempts import Attempt
from langroute.domain.errors import AllTargetsFailed, Fault, GatewayError, ProviderTimedOut

_BRANCH = re.compile(r"^([│ ]*)(?:├── |└── )(\w+)", re.MULTILINE)


def drawn() -> dict[str, str]:
    """Each error's parent, as the tree in the docstring has it."""
    parents: dict[str, str] = {}
    path = ["GatewayError"]
    for margin, name in _BRANCH.findall(errors.__doc__ or ""):
        depth = len(margin) // 4
        parents[name] = path[depth - 1]
        path[depth:] = [name]
    return parents


def defined() -> dict[str, str]:
    return {
        name: found.__bases__[0].__name__
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, GatewayError) and found is not GatewayError
    }


def test_the_tree_in_the_docstring_is_the_one_in_the_code() -> None:
    assert drawn() == defined()
    assert len(drawn()) > 15


@pytest.mark.parametrize(
    ("group", "fault"),
    [
        (errors.CallerError, Fault.CALLER),
        (errors.PolicyError, Fault.POLICY),
        (errors.ProviderError, Fault.PROVIDER),
        (errors.AllTargetsFailed, Fault.PROVIDER),
        (errors.OwnError, Fault.GATEWAY),
    ],
)
def test_every_error_says_whose_fault_it_is(group: type[GatewayError], fault: Fault) -> None:
    waiting = [group]
    while waiting:
        found = waiting.pop()
        assert found.fault is fault
        waiting += found.__subclasses__()


def test_that_all_failed_tells_the_last_failure_and_every_attempt() -> None:
    last = ProviderTimedOut("too slow", provider="mistral")
    attempts = [Attempt(provider="mistral", model="m", result="timeout")]
    error = AllTargetsFailed(last, attempts)
    attempts.clear()
    assert error.last is last
    assert [str(attempt) for attempt in error.attempts] == ["mistral/m=timeout"]
    assert str(error) == "too slow"
