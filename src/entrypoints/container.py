"""Where everything is wired, and nowhere else."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from dependency_injector import containers, providers
from dependency_injector.providers import Provider

from ..adapters.cache.catalogue import CurrentCatalogue
from ..adapters.cache.changes import Caches
from ..adapters.cache.credentials import CachedCredentials
from ..adapters.cache.virtual_keys import CachedKeys
from ..adapters.crypto.aes_gcm_seal import AesGcmSeal
from ..adapters.memory.admission import MemoryAdmission
from ..adapters.memory.audit import MemoryAudit
from ..adapters.memory.catalogues import MemoryCatalogues
from ..adapters.memory.charged_calls import MemoryChargedCalls
from ..adapters.memory.credentials import MemoryCredentials
from ..adapters.memory.health import MemoryHealth
from ..adapters.memory.history import MemoryHistory
from ..adapters.memory.idempotency import MemoryIdempotency
from ..adapters.memory.ledger import MemoryLedger
from ..adapters.memory.limits import MemoryLimits
from ..adapters.memory.organizations import MemoryOrganizations
from ..adapters.memory.reservations import MemoryReservations
from ..adapters.memory.stand_in import SharedAdmission, StandIn
from ..adapters.memory.virtual_keys import MemoryKeys
from ..adapters.postgres.admission import PostgresAdmission
from ..adapters.postgres.audit import PostgresAudit
from ..adapters.postgres.catalogues import PostgresCatalogues
from ..adapters.postgres.changes import PostgresChanges
from ..adapters.postgres.charged_calls import PostgresChargedCalls
from ..adapters.postgres.credentials import PostgresCredentials
from ..adapters.postgres.database import Database
from ..adapters.postgres.evidence import PostgresWitness
from ..adapters.postgres.health import PostgresHealth
from ..adapters.postgres.history import PostgresHistory
from ..adapters.postgres.idempotency import PostgresIdempotency
from ..adapters.postgres.kept_with_admission import KeptWithAdmission
from ..adapters.postgres.ledger import PostgresLedger
from ..adapters.postgres.ledger_corrections import PostgresCorrections
from ..adapters.postgres.limits import PostgresLimits
from ..adapters.postgres.organizations import PostgresOrganizations
from ..adapters.postgres.partitions import PostgresPartitions
from ..adapters.postgres.reservations import PostgresReservations
from ..adapters.postgres.virtual_keys import PostgresKeys
from ..adapters.pricing.genai_list_prices import GenaiListPrices
from ..adapters.system.actor import TaskActor
from ..adapters.system.clock import SystemClock
from ..adapters.system.entropy import SystemEntropy
from ..adapters.wire.codecs import all_codecs, default_urls
from ..adapters.wire.http import HttpClient
from ..adapters.wire.upstream import HttpUpstream
from ..application.audit.report_changes import ReportChanges
from ..application.calls.admit import Admit
from ..application.calls.authorize import Authorize
from ..application.calls.complete_chat import CompleteChat
from ..application.calls.conduct_call import ConductCall
from ..application.calls.expire_reservations import ExpireReservations
from ..application.calls.list_models import ListModels
from ..application.calls.open_credential import OpenCredential
from ..application.calls.perform_operation import PerformOperation
from ..application.calls.plan_call import PlanCall
from ..application.calls.quote_call import QuoteCall
from ..application.calls.settle import Settle
from ..application.calls.stream_chat import StreamChat
from ..application.calls.stream_operation import StreamOperation
from ..application.calls.try_targets import TryTargets
from ..application.catalogue.compare_prices import ComparePrices
from ..application.catalogue.define_provider import DefineProvider
from ..application.catalogue.define_route import DefineRoute
from ..application.catalogue.seed_catalogue import SeedCatalogue
from ..application.catalogue.set_price import SetPrice
from ..application.catalogue.sync_prices import SyncPrices
from ..application.credentials.remove_credential import RemoveCredential
from ..application.credentials.reseal_credentials import ResealCredentials
from ..application.credentials.save_credentials import SaveCredentials
from ..application.gateway import Gateway
from ..application.idempotency.answer_once import AnswerOnce
from ..application.idempotency.forget_replies import ForgetReplies
from ..application.keys.change_virtual_key import ChangeVirtualKey
from ..application.keys.issue_virtual_key import IssueVirtualKey
from ..application.keys.list_virtual_keys import ListVirtualKeys
from ..application.keys.revoke_virtual_key import RevokeVirtualKey
from ..application.keys.rotate_virtual_key import RotateVirtualKey
from ..application.ledger.correct_entry import CorrectEntry
from ..application.ledger.re_rate import ReRate
from ..application.ledger.verify_ledger import VerifyLedger
from ..application.organizations.change_organization import ChangeOrganization
from ..application.organizations.change_team import ChangeTeam
from ..application.organizations.define_organization import DefineOrganization
from ..application.organizations.define_team import DefineTeam
from ..application.organizations.lift_limit import LiftLimit
from ..application.organizations.list_organizations import ListOrganizations
from ..application.organizations.remove_organization import RemoveOrganization
from ..application.organizations.remove_team import RemoveTeam
from ..application.organizations.set_limit import SetLimit
from ..application.ports.admission import Admission
from ..application.ports.audit import Actors, AuditLog
from ..application.ports.catalogues import CatalogueLookup, Catalogues
from ..application.ports.charged_calls import ChargedCalls
from ..application.ports.clock import Clock
from ..application.ports.credentials import CredentialLookup, Credentials
from ..application.ports.evidence import Witness
from ..application.ports.history import History
from ..application.ports.idempotency import IdempotentReplies
from ..application.ports.ledger import LedgerCorrections, LedgerReports, LedgerWriter
from ..application.ports.limits import CarriedLimits
from ..application.ports.organizations import Organizations
from ..application.ports.reservations import Reservations
from ..application.ports.upstream import Upstream
from ..application.ports.virtual_keys import KeyLookup, VirtualKeys
from ..application.spend.report_own_usage import ReportOwnUsage
from ..application.spend.report_spend import ReportSpend
from .http.app import HttpParts, create_app
from .http.guard import ManagementGuard
from .settings import Settings

S = providers.Singleton
T = TypeVar("T")


def _itself(one: T) -> T:
    """Gives what is wired a second name, under the port that it fills."""
    return one


def _going_on(store: SharedAdmission, clock: Clock, sharers: int, wanted: bool) -> Admission:
    """While the store is away, if that is wanted."""
    return StandIn(store, clock, sharers) if wanted else store


def _redis_line(url: str, within_s: float) -> Any:
    # Its library is an extra.
    from ..adapters.redis.connecting import connect  # noqa: PLC0415
    from ..adapters.redis.line import Line  # noqa: PLC0415

    return Line(lambda: connect(url, within_s), within_s=within_s)


def _redis_admission(line: Any, clock: Clock, history: History) -> SharedAdmission:
    from ..adapters.redis.admission import RedisAdmission  # noqa: PLC0415

    return RedisAdmission(line, clock, history)


def _redis_witness(line: Any, keys: VirtualKeys, history: History, clock: Clock) -> Witness:
    from ..adapters.redis.witness import RedisWitness  # noqa: PLC0415

    return RedisWitness(line, keys, history, clock)


class Container(containers.DeclarativeContainer):
    """LangRoute on Postgres. Nothing here opens or starts anything: `lifecycle` does."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    database_url: providers.Dependency[str] = providers.Dependency(instance_of=str)
    encryption_keys: providers.Dependency[list[bytes]] = providers.Dependency(instance_of=list)

    clock = S(SystemClock)
    entropy = S(SystemEntropy)
    actors: Provider[Actors] = S(TaskActor)
    seal = S(AesGcmSeal, encryption_keys)
    list_prices = S(GenaiListPrices)
    timeouts = settings.provided.timeouts

    database = S(
        Database,
        database_url,
        pool_size=settings.provided.database_pool_size,
        actor=actors.provided.current,
    )
    keys: Provider[VirtualKeys] = S(PostgresKeys, database)
    organizations: Provider[Organizations] = S(PostgresOrganizations, database)
    carried_limits: Provider[CarriedLimits] = S(PostgresLimits, database)
    credentials: Provider[Credentials] = S(PostgresCredentials, database)
    catalogues: Provider[Catalogues] = S(PostgresCatalogues, database)
    audit: Provider[AuditLog] = S(PostgresAudit, database)
    postgres_ledger = S(PostgresLedger, database)
    ledger: Provider[LedgerWriter] = S(_itself, postgres_ledger)
    reports: Provider[LedgerReports] = S(_itself, postgres_ledger)
    corrections: Provider[LedgerCorrections] = S(PostgresCorrections, database)
    charged_calls: Provider[ChargedCalls] = S(PostgresChargedCalls, database)
    partitions = S(PostgresPartitions, database, settings.provided.retention_months)
    postgres_reservations = S(
        PostgresReservations, database, local=settings.provided.goes_on_without_store
    )
    reservations: Provider[Reservations] = providers.Selector(
        settings.provided.admission_store,
        memory=postgres_reservations,
        postgres=S(KeptWithAdmission, postgres_reservations),
        redis=postgres_reservations,
    )
    is_ready: Provider[Callable[[], Awaitable[bool]]] = S(PostgresHealth, database)

    idempotent_replies: Provider[IdempotentReplies] = S(PostgresIdempotency, database, clock)
    forget_replies = S(ForgetReplies, idempotent_replies)

    key_lookup: Provider[KeyLookup] = S(CachedKeys, keys)
    credential_lookup: Provider[CredentialLookup] = S(CachedCredentials, credentials)
    cached_catalogue = S(CurrentCatalogue, catalogues)
    catalogue: Provider[CatalogueLookup] = S(_itself, cached_catalogue)
    history: Provider[History] = S(
        PostgresHistory,
        database,
        postgres_ledger.provided.at_rest,
        longest_call_s=settings.provided.longest_call_s,
    )
    memory_admission = S(
        MemoryAdmission, clock, history, local=settings.provided.goes_on_without_store
    )
    postgres_admission = S(
        PostgresAdmission,
        database,
        clock,
        connections=settings.provided.database_pool_size,
        within_s=settings.provided.store_timeout_s,
        longest_call_s=settings.provided.longest_call_s,
    )
    redis_line = S(_redis_line, settings.provided.redis_url_text, settings.provided.store_timeout_s)
    admission: Provider[Admission] = providers.Selector(
        settings.provided.admission_store,
        memory=memory_admission,
        postgres=S(
            _going_on,
            postgres_admission,
            clock,
            settings.provided.sharers_of_limits,
            settings.provided.goes_on_without_store,
        ),
        redis=S(
            _going_on,
            S(_redis_admission, redis_line, clock, history),
            clock,
            settings.provided.sharers_of_limits,
            settings.provided.goes_on_without_store,
        ),
    )
    witnesses = providers.List(
        S(PostgresWitness, database, longest_call_s=settings.provided.longest_call_s),
        providers.Selector(
            settings.provided.admission_store,
            memory=memory_admission,
            postgres=memory_admission,
            redis=S(_redis_witness, redis_line, keys, history, clock),
        ),
    )
    caches = S(
        Caches,
        keys=key_lookup,
        credentials=credential_lookup,
        catalogue=cached_catalogue,
        counters=memory_admission,
    )
    changes = S(PostgresChanges, database, caches)
    http_client = S(HttpClient, max_connections=settings.provided.max_connections)
    codecs = S(all_codecs)
    http_upstream = S(HttpUpstream, http_client, codecs)
    upstream: Provider[Upstream] = S(_itself, http_upstream)

    settle = S(
        Settle,
        admission=admission,
        ledger=ledger,
        reservations=reservations,
        catalogues=catalogue,
        clock=clock,
    )
    plan_call = S(
        PlanCall,
        catalogues=catalogue,
        clock=clock,
        entropy=entropy,
        timeouts=timeouts,
        default_output_cap=settings.provided.default_output_cap,
    )
    conduct = S(
        ConductCall,
        plan=plan_call,
        admit=S(Admit, admission, ledger, reservations),
        try_targets=S(TryTargets, S(OpenCredential, credential_lookup, seal), timeouts),
        reservations=reservations,
        settle=settle,
        clock=clock,
    )
    compare_prices = S(ComparePrices, catalogues, list_prices, clock)
    gateway = S(
        Gateway,
        authorize=S(Authorize, key_lookup, clock),
        complete_chat=S(CompleteChat, conduct=conduct, upstream=upstream, settle=settle),
        stream_chat=S(
            StreamChat,
            conduct=conduct,
            upstream=upstream,
            settle=settle,
            clock=clock,
            timeouts=timeouts,
        ),
        perform_operation=S(
            PerformOperation, conduct=conduct, upstream=http_upstream, settle=settle
        ),
        stream_operation=S(
            StreamOperation,
            conduct=conduct,
            upstream=http_upstream,
            settle=settle,
            clock=clock,
            timeouts=timeouts,
        ),
        list_models=S(ListModels, catalogue),
        expire_reservations=S(ExpireReservations, admission, reservations, settle, clock),
        quote_call=S(QuoteCall, plan_call, admission),
        report_own_usage=S(ReportOwnUsage, admission=admission, reports=reports, clock=clock),
        answer_once=S(
            AnswerOnce,
            replies=idempotent_replies,
            clock=clock,
            entropy=entropy,
            timeouts=timeouts,
        ),
        issue_virtual_key=S(
            IssueVirtualKey,
            keys=keys,
            organizations=organizations,
            clock=clock,
            entropy=entropy,
            default_limits=settings.provided.default_limits,
        ),
        list_virtual_keys=S(ListVirtualKeys, keys),
        change_virtual_key=S(ChangeVirtualKey, keys, organizations),
        rotate_virtual_key=S(RotateVirtualKey, keys, entropy),
        revoke_virtual_key=S(RevokeVirtualKey, keys, clock),
        list_organizations=S(ListOrganizations, organizations),
        define_organization=S(DefineOrganization, organizations, entropy),
        change_organization=S(ChangeOrganization, organizations),
        remove_organization=S(RemoveOrganization, organizations),
        define_team=S(DefineTeam, organizations, entropy),
        change_team=S(ChangeTeam, organizations),
        remove_team=S(RemoveTeam, organizations),
        set_limit=S(SetLimit, carried_limits),
        lift_limit=S(LiftLimit, carried_limits),
        save_credentials=S(
            SaveCredentials,
            keys=keys,
            credentials=credentials,
            catalogues=catalogue,
            seal=seal,
        ),
        remove_credential=S(RemoveCredential, credentials),
        reseal_credentials=S(ResealCredentials, credentials, seal),
        define_provider=S(DefineProvider, catalogues, catalogue, S(default_urls, codecs)),
        define_route=S(DefineRoute, catalogues, catalogue),
        set_price=S(SetPrice, catalogues, catalogue),
        compare_prices=compare_prices,
        sync_prices=S(SyncPrices, compare_prices, catalogues, catalogue, clock),
        seed_catalogue=S(SeedCatalogue, catalogues, catalogue, list_prices),
        catalogues=catalogues,
        report_spend=S(ReportSpend, reports),
        verify_ledger=S(VerifyLedger, witnesses),
        correct_entry=S(
            CorrectEntry, ledger=corrections, catalogues=catalogue, audit=audit, clock=clock
        ),
        re_rate=S(
            ReRate,
            calls=charged_calls,
            ledger=corrections,
            catalogues=catalogues,
            audit=audit,
            clock=clock,
        ),
        report_changes=S(ReportChanges, audit),
    )

    app = S(
        create_app,
        S(
            HttpParts,
            gateway=gateway,
            guard=S(
                ManagementGuard,
                admin_key=settings.provided.admin_key_text,
                open_in_development=settings.provided.dev,
                actors=actors,
            ),
            clock=clock,
            entropy=entropy,
            is_ready=is_ready,
            max_body_bytes=settings.provided.max_body_bytes,
            idle_s=settings.provided.idle_timeout_s,
        ),
    )


def memory_container(settings: Settings, encryption_keys: list[bytes]) -> Container:
    """LangRoute without a database: for tests, and for applications that embed it."""
    container = Container(
        settings=settings, database_url="postgresql://", encryption_keys=encryption_keys
    )
    audit = S(MemoryAudit, container.clock, container.actors)
    organizations = S(MemoryOrganizations, audit)
    keys, credentials = S(MemoryKeys, organizations, audit), S(MemoryCredentials, audit)
    catalogues = S(MemoryCatalogues, audit)
    ledger = S(MemoryLedger)
    container.audit.override(audit)
    container.organizations.override(organizations)
    container.carried_limits.override(S(MemoryLimits, keys, organizations))
    container.keys.override(keys)
    container.key_lookup.override(keys)
    container.credentials.override(credentials)
    container.credential_lookup.override(credentials)
    container.catalogues.override(catalogues)
    container.catalogue.override(catalogues)
    container.ledger.override(ledger)
    container.witnesses.override(providers.List(container.memory_admission))
    container.history.override(S(MemoryHistory, ledger))
    container.reports.override(ledger)
    container.corrections.override(ledger)
    container.charged_calls.override(S(MemoryChargedCalls, ledger))
    container.admission.override(container.memory_admission)
    container.reservations.override(S(MemoryReservations))
    container.idempotent_replies.override(S(MemoryIdempotency, container.clock))
    container.is_ready.override(S(MemoryHealth))
    return container
