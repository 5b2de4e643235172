from typing import Any

from dependency_injector.providers import Provider

from ...adapters.wire.codecs import all_codecs
from ...adapters.wire.http import HttpClient
from ...adapters.wire.upstream import HttpUpstream
from ...application.calls.admit import Admit
from ...application.calls.authorize import Authorize
from ...application.calls.complete_chat import CompleteChat
from ...application.calls.conduct_call import ConductCall
from ...application.calls.expire_reservations import ExpireReservations
from ...application.calls.list_models import ListModels
from ...application.calls.open_credential import OpenCredential
from ...application.calls.perform_operation import PerformOperation
from ...application.calls.plan_call import PlanCall
from ...application.calls.quote_call import QuoteCall
from ...application.calls.settle import Settle
from ...application.calls.stream_chat import StreamChat
from ...application.calls.stream_operation import StreamOperation
from ...application.calls.try_targets import TryTargets
from ...application.idempotency.answer_once import AnswerOnce
from ...application.idempotency.forget_replies import ForgetReplies
from ...application.ports.upstream import Upstream
from ...application.spend.report_own_usage import ReportOwnUsage
from .counters import Counters
from .stores import SETTINGS, S, itself


class Calls(Counters):
    """How a call is planned, admitted, conducted and settled."""

    timeouts = SETTINGS.timeouts
    http_client = S(HttpClient, max_connections=SETTINGS.max_connections)
    codecs = S(all_codecs)
    http_upstream = S(HttpUpstream, http_client, codecs)
    upstream: Provider[Upstream] = S(itself, http_upstream)

    settle = S(
        Settle,
        admission=Counters.admission,
        ledger=Counters.ledger,
        reservations=Counters.reservations,
        catalogues=Counters.catalogue,
        clock=Counters.clock,
    )
    plan_call = S(
        PlanCall,
        catalogues=Counters.catalogue,
        clock=Counters.clock,
        entropy=Counters.entropy,
        timeouts=timeouts,
        default_output_cap=SETTINGS.default_output_cap,
    )
    conduct = S(
        ConductCall,
        plan=plan_call,
        admit=S(Admit, Counters.admission, Counters.ledger, Counters.reservations),
        try_targets=S(
            TryTargets, S(OpenCredential, Counters.credential_lookup, Counters.seal), timeouts
        ),
        reservations=Counters.reservations,
        settle=settle,
        clock=Counters.clock,
    )
    forget_replies = S(ForgetReplies, Counters.idempotent_replies)


USE_CASES: dict[str, Provider[Any]] = {
    "authorize": S(Authorize, Calls.key_lookup, Calls.clock),
    "complete_chat": S(
        CompleteChat, conduct=Calls.conduct, upstream=Calls.upstream, settle=Calls.settle
    ),
    "stream_chat": S(
        StreamChat,
        conduct=Calls.conduct,
        upstream=Calls.upstream,
        settle=Calls.settle,
        clock=Calls.clock,
        timeouts=Calls.timeouts,
    ),
    "perform_operation": S(
        PerformOperation, conduct=Calls.conduct, upstream=Calls.http_upstream, settle=Calls.settle
    ),
    "stream_operation": S(
        StreamOperation,
        conduct=Calls.conduct,
        upstream=Calls.http_upstream,
        settle=Calls.settle,
        clock=Calls.clock,
        timeouts=Calls.timeouts,
    ),
    "list_models": S(ListModels, Calls.catalogue),
    "expire_reservations": S(ExpireReservations, Calls.admission, Calls.reservations, Calls.settle),
    "quote_call": S(QuoteCall, Calls.plan_call, Calls.admission),
    "report_own_usage": S(
        ReportOwnUsage,
        admission=Calls.admission,
        reports=Calls.reports,
        ledger=Calls.corrections,
        clock=Calls.clock,
    ),
    "answer_once": S(
        AnswerOnce,
        replies=Calls.idempotent_replies,
        clock=Calls.clock,
        entropy=Calls.entropy,
        timeouts=Calls.timeouts,
    ),
}
