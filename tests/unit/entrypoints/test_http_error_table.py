import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound

from langroute.domain import errors
from langroute.domain.attempts import Attempt
from langroute.domain.errors import GatewayError
from langroute.domain.limits import Limit, Measure, Refusal
from langroute.domain.organizations import key_scope, team_scope
from langroute.domain.periods import Every, Period
from langroute.entrypoints.http.errors import (
    TABLE,
    Answer,
    answer_for,
    body_of,
    explained,
    headers_of,
)

# Nobody raises these: they only say whose fault what stands below them is.
GROUPS = {
    errors.GatewayError,
    errors.CallerError,
    errors.PolicyError,
    errors.ProviderError,
    errors.OwnError,
}


def rendered(error: Exception) -> tuple[dict[str, Any], Answer]:
    message, answer = explained(error)
    return body_of(message, answer), answer


TOKENS = Limit(scope=key_scope(UUID(int=1)), measure=Measure.TOKENS, amount=100)


def refusal(retry_after_ns: int | None) -> Refusal:
    return Refusal(
        limit=TOKENS,
        used=90,
        asked=101 if retry_after_ns is None else 20,
        retry_after_ns=retry_after_ns,
    )


def refused(status: int, retry_after_s: float | None = None) -> errors.ProviderRefused:
    return errors.ProviderRefused(
        "No.", provider="openai", status=status, retry_after_s=retry_after_s
    )


def rejected(status: int = 422) -> errors.RejectedByProvider:
    return errors.RejectedByProvider(
        "Too long.", provider="openai", status=status, param="messages", code="too_long"
    )


BUDGET = Limit(
    scope=team_scope(UUID(int=2)),
    measure=Measure.MONEY,
    amount=10**11,
    window=Period(every=Every.MONTH),
)
SPENT = errors.LimitReached(
    Refusal(limit=BUDGET, used=9 * 10**10, asked=2 * 10**10, retry_after_ns=7_200 * 10**9)
)


SPECIMENS: dict[type[GatewayError], GatewayError] = {
    type(error): error
    for error in (
        errors.InvalidRequest("Wrong.", param="messages.0"),
        errors.UnsupportedField("No seed.", param="seed", provider="anthropic"),
        errors.UnboundedField("tools.0.type", TOKENS),
        errors.RequestTooLarge(1_024),
        errors.IdempotencyKeyReused(),
        errors.IdempotencyKeyInUse(),
        errors.AlreadyRunning("simulation"),
        errors.Unauthenticated("Who?", code="expired_api_key"),
        errors.UnknownModel("gpt-0"),
        errors.NotFound("route", "gpt-0"),
        rejected(),
        errors.Forbidden("Not you.", param="model"),
        errors.LimitReached(refusal(1_500_000_001)),
        errors.Unpriced("gpt-0", BUDGET),
        refused(503, 7.2),
        errors.ProviderUnreachable("No route to host.", provider="openai"),
        errors.ProviderTimedOut("Too slow.", provider="openai"),
        errors.ProviderBrokeOff("Not JSON.", provider="openai"),
        errors.ProviderUndefined("openai"),
        errors.OperationUnsupported("mistral", "images/edits"),
        errors.CredentialMissing("openai"),
        errors.CredentialUnreadable("openai"),
        errors.AllTargetsFailed(
            refused(429, 3), [Attempt(provider="openai", model="gpt", result="429")]
        ),
        errors.StoreUnavailable(),
        errors.LedgerFull(),
        errors.ShuttingDown(),
    )
}


def every_error() -> Iterator[type[GatewayError]]:
    waiting: list[type[GatewayError]] = [GatewayError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        # Those that the gateway itself defines, wherever; not those of a test.
        if kind.__module__.startswith("langroute."):
            yield kind


def test_every_error_that_can_be_raised_has_an_answer_of_its_own() -> None:
    assert {*every_error()} - GROUPS == {*TABLE}
    assert {*TABLE} == {*SPECIMENS}


def test_only_groups_have_none() -> None:
    assert not GROUPS & {*TABLE}
    for group in GROUPS:
        assert group.__subclasses__()


@pytest.mark.parametrize("error", SPECIMENS.values(), ids=lambda error: type(error).__name__)
def test_every_answer_has_openais_shape(error: GatewayError) -> None:
    body, answer = rendered(error)
    assert list(body) == ["error"]
    assert sorted(body["error"]) == ["code", "message", "param", "type"]
    assert isinstance(body["error"]["message"], str)
    assert len(body["error"]["message"]) > 2
    assert body["error"]["type"]
    assert 400 <= answer.status < 600
    assert all(isinstance(value, str) for value in headers_of(answer).values())


@pytest.mark.parametrize("error", SPECIMENS.values(), ids=lambda error: type(error).__name__)
def test_the_status_says_whose_fault_it_is(error: GatewayError) -> None:
    status = answer_for(error).status
    if error.fault in {errors.Fault.CALLER, errors.Fault.POLICY}:
        assert status < 500
    else:
        assert status >= 500 or status == 429


@pytest.mark.parametrize(
    ("error", "status", "code", "param"),
    [
        (SPECIMENS[errors.InvalidRequest], 400, None, "messages.0"),
        (SPECIMENS[errors.RequestTooLarge], 413, "request_too_large", None),
        (SPECIMENS[errors.Unauthenticated], 401, "expired_api_key", None),
        (SPECIMENS[errors.UnknownModel], 400, "model_not_found", "model"),
        (SPECIMENS[errors.AlreadyRunning], 409, "already_running", None),
        (SPECIMENS[errors.NotFound], 404, "not_found", None),
        (SPECIMENS[errors.Forbidden], 403, "forbidden", "model"),
        (SPECIMENS[errors.LimitReached], 429, "rate_limit_exceeded", None),
        (SPENT, 429, "insufficient_quota", None),
        (SPECIMENS[errors.Unpriced], 403, "model_unpriced", "model"),
        (rejected(400), 400, "too_long", "messages"),
        (rejected(422), 400, "too_long", "messages"),
        (rejected(413), 413, "too_long", "messages"),
        (refused(401), 502, "provider_error", None),
        (refused(404), 502, "provider_error", None),
        (refused(408), 504, "provider_error", None),
        (refused(429), 429, "rate_limit_exceeded", None),
        (refused(500), 502, "provider_error", None),
        (refused(503), 503, "provider_error", None),
        (refused(504), 504, "provider_error", None),
        (refused(529), 503, "provider_error", None),
        (SPECIMENS[errors.ProviderTimedOut], 504, "provider_timeout", None),
        (SPECIMENS[errors.ProviderUnreachable], 502, "provider_unreachable", None),
        (SPECIMENS[errors.AllTargetsFailed], 429, "rate_limit_exceeded", None),
        (SPECIMENS[errors.StoreUnavailable], 503, "store_unavailable", None),
        (SPECIMENS[errors.LedgerFull], 503, "ledger_unavailable", None),
        (SPECIMENS[errors.ShuttingDown], 503, "shutting_down", None),
    ],
)
def test_the_table_reads(
    error: GatewayError, status: int, code: str | None, param: str | None
) -> None:
    body, answer = rendered(error)
    assert answer.status == status
    assert (body["error"]["code"], body["error"]["param"]) == (code, param)


NEVER = errors.LimitReached(refusal(None))


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        # Rounded up: whoever comes back then is let in.
        (
            SPECIMENS[errors.LimitReached],
            {"retry-after": "2", "retry-after-ms": "1501"},
        ),
        # It will never fit, so clients should not try again by themselves.
        (
            NEVER,
            {"retry-after": "60", "retry-after-ms": "60000", "x-should-retry": "false"},
        ),
        # Client libraries would hammer on until the month is over.
        (SPENT, {"retry-after": "7200", "retry-after-ms": "7200000", "x-should-retry": "false"}),
        (refused(503, 7.2), {"retry-after": "8", "retry-after-ms": "7200"}),
        (refused(429, 0), {"retry-after": "0", "retry-after-ms": "0"}),
        (refused(500), {}),
        (refused(401), {"x-should-retry": "false"}),
        (refused(402), {"x-should-retry": "false"}),
        (SPECIMENS[errors.AllTargetsFailed], {"retry-after": "3", "retry-after-ms": "3000"}),
        (SPECIMENS[errors.CredentialMissing], {"x-should-retry": "false"}),
        (SPECIMENS[errors.ProviderTimedOut], {}),
        (SPECIMENS[errors.StoreUnavailable], {"retry-after": "1", "retry-after-ms": "1000"}),
        (SPECIMENS[errors.LedgerFull], {"retry-after": "5", "retry-after-ms": "5000"}),
        (SPECIMENS[errors.InvalidRequest], {}),
    ],
)
def test_headers_tell_when_and_whether_to_come_back(
    error: GatewayError, headers: dict[str, str]
) -> None:
    assert headers_of(answer_for(error)) == headers


def test_a_rate_limit_says_which_and_until_when() -> None:
    body, answer = rendered(SPECIMENS[errors.LimitReached])
    assert answer.type == "tokens"
    message = body["error"]["message"]
    assert "limit 100, used 90, requested 20" in message
    assert "in 1.500s" in message
    assert "larger than the limit itself" in rendered(NEVER)[0]["error"]["message"]


def test_a_budget_says_whose_it_is_and_how_much_of_it_is_gone() -> None:
    body, answer = rendered(SPENT)
    assert answer.type == "insufficient_quota"
    assert "Budget reached on money a month of the team" in body["error"]["message"]
    assert "limit $0.10, used $0.09, requested $0.02" in body["error"]["message"]


def test_that_all_failed_tells_every_attempt() -> None:
    body, _ = rendered(SPECIMENS[errors.AllTargetsFailed])
    assert body["error"]["message"] == "No. (attempts: openai/gpt=429)"


class BetterNews(errors.Forbidden):
    """What an embedding application might add."""


def test_an_error_without_a_row_takes_the_row_of_the_one_above_it() -> None:
    assert answer_for(BetterNews("x", param="p")).status == 403
    assert answer_for(BetterNews("x", param="p")).param == "p"


def test_a_group_by_itself_is_an_error_of_ours() -> None:
    for group in (GatewayError, errors.CallerError, errors.PolicyError, errors.OwnError):
        assert answer_for(group("x")).status == 500


def test_an_error_that_nobody_expected_tells_nothing_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        body, answer = rendered(ZeroDivisionError("the password is hunter2"))
    assert (answer.status, body["error"]["code"]) == (500, "internal_error")
    assert "hunter2" not in str(body)
    (record,) = caplog.records
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFound(), 404, "invalid_request_error"),
        (MethodNotAllowed(), 405, "invalid_request_error"),
        (BadRequest("<b>not shown</b>"), 400, "invalid_request_error"),
        (HTTPException(), 500, "server_error"),
    ],
)
def test_the_frameworks_errors_have_the_same_shape(
    error: HTTPException, status: int, kind: str
) -> None:
    body, answer = rendered(error)
    assert (answer.status, body["error"]["type"]) == (status, kind)
    assert sorted(body["error"]) == ["code", "message", "param", "type"]
    assert "<" not in body["error"]["message"]
