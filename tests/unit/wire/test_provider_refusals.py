from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.codec import Complaint
from langroute.adapters.wire.refusals import refusal, retry_after_s
from langroute.domain.errors import GatewayError, ProviderRefused, RejectedByProvider
from langroute.domain.fallback import is_callers_fault


def refused(complaint: Complaint, status: int, credential: str | None = None) -> GatewayError:
    return refusal(complaint, provider="acme", credential=credential, status=status, headers={})


@given(st.integers(300, 599))
def test_the_status_alone_says_whose_fault_it_is(status: int) -> None:
    error = refused(Complaint(message="no"), status)
    expected = RejectedByProvider if is_callers_fault(status) else ProviderRefused
    assert type(error) is expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1200", "retry-after": "2"}, 1.2),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "1e300"}, 86_400.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            30.0,
        ),
    ],
)
def test_the_wait_a_provider_asks_for_is_read(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers) == seconds


def test_a_date_that_has_passed_asks_for_no_wait() -> None:
    assert retry_after_s({"retry-after": formatdate(0, usegmt=True)}) == 0.0


@given(st.text(), st.text(), st.text())
def test_no_header_is_too_strange_to_be_read(millis: str, wait: str, date: str) -> None:
    told = retry_after_s({"retry-after-ms": millis, "retry-after": wait, "date": date})
    assert told is None or 0 <= told <= 86_400


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9000.",
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
        "the request exceeds the available context size, try increasing it",
    ],
)
def test_a_prompt_that_is_too_long_is_told_in_the_words_that_clients_look_for(message: str) -> None:
    error = refused(Complaint(message=message, code="400"), 400)
    assert isinstance(error, RejectedByProvider)
    assert error.code == "context_length_exceeded"
    assert "maximum context length is" in str(error)
    assert message in str(error)


def test_a_provider_s_words_are_cut_to_a_bearable_length() -> None:
    assert len(str(refused(Complaint(message="x" * 10_000), 400))) == 500


@given(st.text("sk-abc", min_size=4, max_size=12), st.text(max_size=600), st.text(max_size=600))
def test_a_credential_that_the_provider_quotes_is_never_passed_on(
    credential: str, before: str, after: str
) -> None:
    quoted = f"{before}{credential}{after}"
    error = refused(Complaint(message=quoted, param=quoted, code=quoted), 400, credential)
    assert isinstance(error, RejectedByProvider)
    assert credential not in f"{error} {error!r} {error.param} {error.code}"
