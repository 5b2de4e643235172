"""A gateway's chat use cases in memory, with providers that say what a test tells them to."""

import asyncio
import dataclasses
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.memory.credentials import MemoryCredentials
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.memory.reservations import MemoryReservations
from langroute.application.calls.admit import Admit
from langroute.application.calls.complete_chat import CompleteChat
from langroute.application.calls.conduct_call import ConductCall
from langroute.application.calls.expire_reservations import ExpireReservations
from langroute.application.calls.open_credential import OpenCredential
from langroute.application.calls.plan_call import PlanCall
from langroute.application.calls.settle import Settle
from langroute.application.calls.stream_chat import StreamChat
from langroute.application.calls.try_targets import TryTargets
from langroute.application.ports.catalogues import CatalogueLookup
from langroute.application.ports.clock import Clock
from langroute.application.ports.credentials import CredentialLookup
from langroute.application.ports.entropy import Entropy
from langroute.application.ports.ledger import LedgerWriter
from langroute.application.ports.reservations import Reservations
from langroute.application.ports.seal import CannotOpen, Seal
from langroute.application.ports.upstream import (
    ChatChunk,
    ChatReply,
    ChunkStream,
    Upstream,
    UpstreamCall,
)
from langroute.domain.admission import Ask
from langroute.domain.catalogue import Catalogue
from langroute.domain.chat import ChatRequest
from langroute.domain.credentials import Credential
from langroute.domain.dialects import Dialect
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.keys import VirtualKey
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.limits import Limit, Limits, Measure, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.receipt import Receipt
from langroute.domain.routes import ModelRoute, Target
from langroute.domain.timeouts import Timeouts
from langroute.domain.usage import TokenUsage

S = 10**9
START_NS = 1_800_000_000 * S
KEY_ID = KeyId(UUID(int=1))

# Bounds nothing, and so changes nothing: for tests to see what a key has used.
COUNTED = Limit(
    scope=key_scope(KEY_ID),
    measure=Measure.TOKENS,
    amount=10**9,
    window=Sliding(seconds=61),
    soft=True,
)
NONE = Limit(scope=key_scope(KEY_ID), measure=Measure.REQUESTS, amount=0)

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://openai.test/v1")
MISTRAL = Provider(name="mistral", kind=ProviderKind.MISTRAL, base_url="https://mistral.test/v1")
LOCAL = Provider(
    name="local",
    kind=ProviderKind.OPENAI,
    base_url="http://localhost/v1",
    needs_credential=False,
)
PROVIDERS = (OPENAI, MISTRAL, LOCAL)
OPENAI_PRICE = ModelPrice(rates=Rates(input=Money(10), output=Money(100)))
MISTRAL_PRICE = ModelPrice(rates=Rates(input=Money(3), output=Money(7)))
PRICES = (
    DatedPrice(provider="openai", model="gpt", effective_from_ns=0, price=OPENAI_PRICE),
    DatedPrice(provider="mistral", model="large", effective_from_ns=0, price=MISTRAL_PRICE),
)
# Where a test does not say otherwise: openai first, then mistral, then a local one without a price.
ROUTE = ModelRoute(
    model="smart",
    targets=(
        Target(provider="openai", model="gpt", order=0),
        Target(provider="mistral", model="large", order=1),
        Target(provider="local", model="tiny", order=2),
    ),
)
USAGE = TokenUsage(input=20, output=5)
_PATIENCE_S = 10


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = START_NS
        self.uptime_ns = 55 * S

    def now_ns(self) -> int:
        return self.ns

    def monotonic_ns(self) -> int:
        return self.uptime_ns

    def advance(self, seconds: float) -> None:
        self.ns += int(seconds * S)
        self.uptime_ns += int(seconds * S)


class CountingEntropy:
    """Counts instead of throwing dice."""

    def __init__(self) -> None:
        self.count = 0

    def secret(self, size: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(size, "big")

    def uuid(self) -> UUID:
        self.count += 1
        return UUID(int=self.count)


@dataclass(frozen=True, slots=True)
class FixedCatalogue:
    catalogue: Catalogue

    def current(self) -> Catalogue:
        return self.catalogue

    async def refresh(self) -> None: ...


class PlainSeal:
    """Seals by writing the context in front. What says `spoiled` does not open."""

    def seal(self, secret: str, context: str) -> str:
        return f"{context}|{secret}"

    def open(self, sealed: str, context: str) -> str:
        before, bar, secret = sealed.partition("|")
        if not bar or before != context or secret == "spoiled":
            raise CannotOpen
        return secret

    def is_current(self, sealed: str) -> bool:
        return "|" in sealed


class Silent:
    """Never answers."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    async def wait(self) -> None:
        self._heard.set()
        await asyncio.Event().wait()

    async def heard(self) -> None:
        """Returns once somebody waits for the answer."""
        async with asyncio.timeout(_PATIENCE_S):
            await self._heard.wait()


class Held(Silent):
    """Answers nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()

    async def wait(self) -> None:
        self._heard.set()
        await self.let_go.wait()


Said = ChatChunk | Exception | Silent
"""A chunk, a failure, or a pause before the next one."""


class ScriptedStream:
    """Says its lines, one after the other, then ends."""

    def __init__(self, *lines: Said, dropped: tuple[str, ...] = ()) -> None:
        self.dropped = dropped
        self.dialect: Dialect | None = None
        self.closed = False
        self._lines = deque(lines)

    def __aiter__(self) -> AsyncIterator[ChatChunk]:
        return self

    async def __anext__(self) -> ChatChunk:
        while self._lines:
            line = self._lines.popleft()
            if isinstance(line, Silent):
                await line.wait()
                continue
            if isinstance(line, Exception):
                raise line
            return line
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


Answer = ChatReply | ScriptedStream | Exception | Silent
"""What a provider does when it is asked; after a pause comes the next answer."""


class ScriptedUpstream:
    """Providers by name, each with its answers in order. Keeps the calls that reached them."""

    def __init__(self, **answers: Answer | list[Answer]) -> None:
        self._answers = {
            name: deque(given if isinstance(given, list) else [given])
            for name, given in answers.items()
        }
        self.calls: list[UpstreamCall[ChatRequest]] = []

    @property
    def asked(self) -> list[str]:
        return [call.provider.name for call in self.calls]

    async def complete(self, call: UpstreamCall[ChatRequest]) -> ChatReply:
        answer = await self._answer(call)
        assert isinstance(answer, ChatReply)
        return answer

    async def stream(self, call: UpstreamCall[ChatRequest]) -> ChunkStream:
        answer = await self._answer(call)
        assert isinstance(answer, ScriptedStream)
        return answer

    async def _answer(self, call: UpstreamCall[ChatRequest]) -> ChatReply | ScriptedStream:
        self.calls.append(call)
        answers = self._answers[call.provider.name]
        while True:
            answer = answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            if not isinstance(answer, Silent):
                return answer
            await answer.wait()


class StrictLedger(MemoryLedger):
    """Does not put up with a call that is recorded twice, as a ledger has to, unless it was taken
    for lost."""

    def __init__(self) -> None:
        super().__init__()
        self._recorded: dict[RequestId, Outcome] = {}

    def record(self, entry: LedgerEntry) -> None:
        assert self._recorded.get(entry.request_id, Outcome.EXPIRED) is Outcome.EXPIRED
        self._recorded[entry.request_id] = entry.outcome
        super().record(entry)


class FullLedger(StrictLedger):
    def has_room(self) -> bool:
        return False


@dataclass(kw_only=True)
class Scene:
    """Everything that a chat needs. A test replaces the parts that it is about."""

    upstream: ScriptedUpstream
    clock: ManualClock = field(default_factory=ManualClock)
    entropy: CountingEntropy = field(default_factory=CountingEntropy)
    catalogue: Catalogue = field(default_factory=lambda: Catalogue.of(PROVIDERS, [ROUTE], PRICES))
    credentials: MemoryCredentials = field(default_factory=MemoryCredentials)
    ledger: StrictLedger = field(default_factory=StrictLedger)
    timeouts: Timeouts = field(default_factory=Timeouts)
    default_output_cap: int = 50
    # Nothing expires in them: those under way are all this process's own.
    reservations: Reservations = field(default_factory=lambda: MemoryReservations(ManualClock()))
    admission: MemoryAdmission = field(init=False)

    def __post_init__(self) -> None:
        self.admission = MemoryAdmission(self.clock)

    async def save(self, secret: str, *providers: str) -> "Scene":
        """A credential for these, that serves every key."""
        for provider in providers:
            empty = Credential(owner=None, provider=provider, sealed="")
            sealed = PlainSeal().seal(secret, empty.context)
            await self.credentials.put(dataclasses.replace(empty, sealed=sealed))
        return self

    @property
    def plan(self) -> PlanCall:
        return PlanCall(
            catalogues=FixedCatalogue(self.catalogue),
            clock=self.clock,
            entropy=self.entropy,
            timeouts=self.timeouts,
            default_output_cap=self.default_output_cap,
        )

    @property
    def settle(self) -> Settle:
        return Settle(
            admission=self.admission,
            ledger=self.ledger,
            reservations=self.reservations,
            catalogues=FixedCatalogue(self.catalogue),
            clock=self.clock,
        )

    @property
    def conduct(self) -> ConductCall:
        return ConductCall(
            plan=self.plan,
            admit=Admit(self.admission, self.ledger, self.reservations),
            reservations=self.reservations,
            try_targets=TryTargets(OpenCredential(self.credentials, PlainSeal()), self.timeouts),
            settle=self.settle,
            clock=self.clock,
        )

    @property
    def complete_chat(self) -> CompleteChat:
        return CompleteChat(conduct=self.conduct, upstream=self.upstream, settle=self.settle)

    @property
    def stream_chat(self) -> StreamChat:
        return StreamChat(
            conduct=self.conduct,
            upstream=self.upstream,
            settle=self.settle,
            clock=self.clock,
            timeouts=self.timeouts,
        )

    @property
    def expire(self) -> ExpireReservations:
        return ExpireReservations(self.admission, self.reservations, self.settle)

    async def entries(self) -> Sequence[LedgerEntry]:
        return await self.ledger.entries(None, 1000)

    async def first_entry(self) -> LedgerEntry:
        """Once it is there: for what is settled behind the caller's back."""
        async with asyncio.timeout(_PATIENCE_S):
            while not await self.entries():
                await asyncio.sleep(0)
        return await self.entry()

    async def entry(self) -> LedgerEntry:
        """The only one: every call leaves one, and no more."""
        (entry,) = await self.entries()
        return entry

    async def tokens_used(self) -> int:
        """By a call that is refused, and so uses nothing itself."""
        (standing, _) = (await self.admission.admit(an_ask(self.clock.now_ns()), (COUNTED, NONE)))[
            1
        ]
        return standing.used

    async def holds_nothing(self) -> bool:
        """Whether no call has a reservation left."""
        self.clock.advance(10**6)
        return not await self.admission.expired()


def a_key(limits: Limits | None = None, *allowed: str) -> VirtualKey:
    return VirtualKey(
        id=KEY_ID,
        name="test",
        digest=b"digest",
        hint="hint",
        limits=limits or Limits(),
        further_limits=(COUNTED,),
        allowed_models=allowed,
        created_at_ns=START_NS,
    )


def left(receipt: Receipt) -> list[int]:
    """Of the limits that a test has set."""
    return [each.remaining for each in receipt.standings if each.limit != COUNTED]


def an_ask(now_ns: int) -> Ask:
    return Ask(
        request_id=RequestId(uuid4()),
        key_id=KEY_ID,
        model="m",
        streamed=False,
        at_ns=now_ns,
        lease_until_ns=now_ns,
        input_bound=0,
        output_bound=0,
    )


def a_chat(model: str = "smart", **fields: Any) -> ChatRequest:
    messages = [{"role": "user", "content": "How much is the fish?"}]
    return ChatRequest.parse({"model": model, "messages": messages, **fields})


def a_reply(usage: TokenUsage | None = USAGE, content: str = "Three pounds.") -> ChatReply:
    message = {"role": "assistant", "content": content}
    return ChatReply(body={"choices": [{"index": 0, "message": message}]}, usage=usage)


def a_chunk(text: str = "", usage: TokenUsage | None = None) -> ChatChunk:
    return ChatChunk(
        body={"choices": [{"index": 0, "delta": {"content": text}}]},
        usage=usage,
        text_bytes=len(text.encode()),
    )


def usage_chunk(usage: TokenUsage = USAGE) -> ChatChunk:
    """The last one that OpenAI sends: no choices, only usage."""
    told: Mapping[str, int] = {"total_tokens": usage.total}
    return ChatChunk(body={"choices": [], "usage": told}, usage=usage)


_clock: type[Clock] = ManualClock
_entropy: type[Entropy] = CountingEntropy
_catalogue: type[CatalogueLookup] = FixedCatalogue
_seal: type[Seal] = PlainSeal
_stream: type[ChunkStream] = ScriptedStream
_upstream: type[Upstream] = ScriptedUpstream
_credentials: type[CredentialLookup] = MemoryCredentials
_ledger: type[LedgerWriter] = FullLedger
