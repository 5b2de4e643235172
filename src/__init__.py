"""LangRoute, for embedding. `langroute.entrypoints.embedding.open_gateway` opens a Gateway; these
are the values that go in and come out. The module itself imports nothing heavy."""

from .application.calls.complete_chat import CompletedChat
from .application.calls.paid_stream import PaidStream
from .application.calls.perform_operation import PerformedOperation
from .application.calls.stream_chat import ChatStream
from .application.gateway import Gateway
from .application.keys.issue_virtual_key import IssuedKey, KeyOrder
from .application.ports.ledger import SpendLine, SpendQuery
from .application.ports.upstream import ChatChunk, ChatReply, ChunkStream, Upstream, UpstreamCall
from .domain.chat import ChatRequest
from .domain.dialects import Dialect, Native
from .domain.errors import GatewayError
from .domain.limits import Limits
from .domain.money import Money
from .domain.operations import Operation, OperationRequest
from .domain.pricing import DatedPrice, ModelPrice, Rates
from .domain.providers import Provider, ProviderKind
from .domain.receipt import Receipt
from .domain.routes import ModelRoute, Target
from .domain.usage import TokenUsage

__all__ = [
    "ChatChunk",
    "ChatReply",
    "ChatRequest",
    "ChatStream",
    "ChunkStream",
    "CompletedChat",
    "DatedPrice",
    "Dialect",
    "Gateway",
    "GatewayError",
    "IssuedKey",
    "KeyOrder",
    "Limits",
    "ModelPrice",
    "ModelRoute",
    "Money",
    "Native",
    "Operation",
    "OperationRequest",
    "PaidStream",
    "PerformedOperation",
    "Provider",
    "ProviderKind",
    "Rates",
    "Receipt",
    "SpendLine",
    "SpendQuery",
    "Target",
    "TokenUsage",
    "Upstream",
    "UpstreamCall",
]
