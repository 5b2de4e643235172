from collections.abc import Awaitable, Callable
from typing import TypeVar

from dependency_injector import containers, providers
from dependency_injector.providers import Provider

from ...adapters.cache.catalogue import CurrentCatalogue
from ...adapters.cache.credentials import CachedCredentials
from ...adapters.cache.virtual_keys import CachedKeys
from ...adapters.crypto.aes_gcm_seal import AesGcmSeal
from ...adapters.postgres.audit import PostgresAudit
from ...adapters.postgres.catalogues import PostgresCatalogues
from ...adapters.postgres.charged_calls import PostgresChargedCalls
from ...adapters.postgres.credentials import PostgresCredentials
from ...adapters.postgres.database import Database
from ...adapters.postgres.health import PostgresHealth
from ...adapters.postgres.idempotency import PostgresIdempotency
from ...adapters.postgres.ledger import PostgresLedger
from ...adapters.postgres.ledger_corrections import PostgresCorrections
from ...adapters.postgres.limits import PostgresLimits
from ...adapters.postgres.old_changes import PostgresOldChanges
from ...adapters.postgres.organizations import PostgresOrganizations
from ...adapters.postgres.partitions import PostgresPartitions
from ...adapters.postgres.past_calls import PostgresPastCalls
from ...adapters.postgres.virtual_keys import PostgresKeys
from ...adapters.system.actor import TaskActor
from ...adapters.system.clock import SystemClock
from ...adapters.system.entropy import SystemEntropy
from ...application.ports.audit import Actors, AuditLog
from ...application.ports.catalogues import CatalogueLookup, Catalogues
from ...application.ports.charged_calls import ChargedCalls
from ...application.ports.credentials import CredentialLookup, Credentials
from ...application.ports.idempotency import IdempotentReplies
from ...application.ports.ledger import LedgerCorrections, LedgerReports, LedgerWriter
from ...application.ports.limits import CarriedLimits
from ...application.ports.organizations import Organizations
from ...application.ports.past_calls import PastCalls
from ...application.ports.virtual_keys import KeyLookup, VirtualKeys
from ...domain.stores import Store
from ..settings import Settings

S = providers.Singleton
T = TypeVar("T")


def itself(one: T) -> T:
    """Gives what is wired a second name, under the port that it fills."""
    return one


class Stores(containers.DeclarativeContainer):
    """What is given from outside, and what is kept in Postgres."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    database_url: providers.Dependency[str] = providers.Dependency(instance_of=str)
    encryption_keys: providers.Dependency[list[bytes]] = providers.Dependency(instance_of=list)

    clock = S(SystemClock)
    entropy = S(SystemEntropy)
    actors: Provider[Actors] = S(TaskActor)
    seal = S(AesGcmSeal, encryption_keys)

    database = S(
        Database,
        database_url,
        pool_size=settings.provided.database_pool_size,
        actor=actors.provided.current,
    )
    # The same, by what is kept in it.
    of_ledger = S(Database.of, database, Store.LEDGER)
    keys: Provider[VirtualKeys] = S(PostgresKeys, database)
    organizations: Provider[Organizations] = S(PostgresOrganizations, database)
    carried_limits: Provider[CarriedLimits] = S(PostgresLimits, database)
    credentials: Provider[Credentials] = S(PostgresCredentials, database)
    catalogues: Provider[Catalogues] = S(PostgresCatalogues, database)
    of_audit_log = S(Database.of, database, Store.AUDIT_LOG)
    audit: Provider[AuditLog] = S(PostgresAudit, of_audit_log)
    old_changes = S(PostgresOldChanges, of_audit_log, settings.provided.audit_retention_months)
    postgres_ledger = S(PostgresLedger, of_ledger)
    ledger: Provider[LedgerWriter] = S(itself, postgres_ledger)
    reports: Provider[LedgerReports] = S(itself, postgres_ledger)
    corrections: Provider[LedgerCorrections] = S(PostgresCorrections, of_ledger)
    charged_calls: Provider[ChargedCalls] = S(PostgresChargedCalls, of_ledger)
    past_calls: Provider[PastCalls] = S(PostgresPastCalls, of_ledger)
    partitions = S(PostgresPartitions, of_ledger, settings.provided.retention_months)
    idempotent_replies: Provider[IdempotentReplies] = S(
        PostgresIdempotency, S(Database.of, database, Store.REPLIES), clock
    )
    is_ready: Provider[Callable[[], Awaitable[bool]]] = S(
        PostgresHealth, database, postgres_ledger.provided.has_room
    )

    key_lookup: Provider[KeyLookup] = S(CachedKeys, keys)
    credential_lookup: Provider[CredentialLookup] = S(CachedCredentials, credentials)
    cached_catalogue = S(CurrentCatalogue, catalogues)
    catalogue: Provider[CatalogueLookup] = S(itself, cached_catalogue)


SETTINGS = Stores.settings.provided
