from collections.abc import Awaitable, Callable
from typing import Any

from dependency_injector import providers
from dependency_injector.providers import Provider

from ...adapters.cache.changes import Caches
from ...adapters.memory.admission import MemoryAdmission
from ...adapters.memory.stand_in import SharedAdmission, StandIn
from ...adapters.postgres.admission import PostgresAdmission
from ...adapters.postgres.changes import PostgresChanges
from ...adapters.postgres.database import Database
from ...adapters.postgres.evidence import PostgresWitness
from ...adapters.postgres.history import PostgresHistory
from ...adapters.postgres.kept_with_admission import KeptWithAdmission
from ...adapters.postgres.posted_corrections import PostgresPostedCorrections
from ...adapters.postgres.reservations import PostgresReservations
from ...application.ports.admission import Admission
from ...application.ports.clock import Clock
from ...application.ports.evidence import Witness
from ...application.ports.history import History
from ...application.ports.ledger import LedgerCorrections
from ...application.ports.organizations import Organizations
from ...application.ports.posted_corrections import PostedCorrections
from ...application.ports.reservations import Reservations
from ...application.ports.virtual_keys import VirtualKeys
from ...domain.stores import Store
from .stores import SETTINGS, S, Stores


def _going_on(store: SharedAdmission, clock: Clock, sharers: int, wanted: bool) -> Admission:
    """While the store is away, if that is wanted."""
    return StandIn(store, clock, sharers) if wanted else store


def _redis_line(url: str, within_s: float) -> Any:
    # Its library is an extra.
    from ...adapters.redis.connecting import connect  # noqa: PLC0415
    from ...adapters.redis.line import Line  # noqa: PLC0415

    return Line(lambda: connect(url, within_s), within_s=within_s)


def _redis_admission(
    line: Any,
    clock: Clock,
    history: History,
    written: Callable[[], Awaitable[None]],
    corrections: LedgerCorrections,
) -> Any:
    from ...adapters.redis.admission import RedisAdmission  # noqa: PLC0415

    return RedisAdmission(line, clock, history, written=written, booked=corrections.call)


def _redis_corrections(
    line: Any,
    posted: PostedCorrections,
    keys: VirtualKeys,
    organizations: Organizations,
    now: Callable[[], tuple[str, int]],
) -> Any:
    from ...adapters.redis.corrections import Corrections  # noqa: PLC0415

    return Corrections(line, posted, keys, organizations, now)


def _redis_witness(line: Any, keys: VirtualKeys, history: History, clock: Clock) -> Witness:
    from ...adapters.redis.witness import RedisWitness  # noqa: PLC0415

    return RedisWitness(line, keys, history, clock)


class Counters(Stores):
    """Who counts what limits are about, who is asked whether it adds up, and who hears that
    something else was written."""

    postgres_reservations = S(
        PostgresReservations, Stores.of_ledger, local=SETTINGS.goes_on_without_store
    )
    reservations: Provider[Reservations] = providers.Selector(
        SETTINGS.admission_store,
        memory=postgres_reservations,
        postgres=S(KeptWithAdmission, postgres_reservations),
        redis=postgres_reservations,
    )
    history: Provider[History] = S(
        PostgresHistory,
        Stores.of_ledger,
        Stores.postgres_ledger.provided.at_rest,
        longest_call_s=SETTINGS.longest_call_s,
    )
    memory_admission = S(
        MemoryAdmission, Stores.clock, history, local=SETTINGS.goes_on_without_store
    )
    postgres_admission = S(
        PostgresAdmission,
        S(Database.of, Stores.database, Store.COUNTERS),
        Stores.clock,
        connections=SETTINGS.database_pool_size,
        within_s=SETTINGS.store_timeout_s,
        longest_call_s=SETTINGS.longest_call_s,
    )
    redis_line = S(_redis_line, SETTINGS.redis_url_text, SETTINGS.store_timeout_s)
    redis_admission = S(
        _redis_admission,
        redis_line,
        Stores.clock,
        history,
        Stores.postgres_ledger.provided.written,
        Stores.corrections,
    )
    redis_corrections = S(
        _redis_corrections,
        redis_line,
        S(PostgresPostedCorrections, Stores.database),
        Stores.keys,
        Stores.organizations,
        redis_admission.provided.now,
    )
    admission: Provider[Admission] = providers.Selector(
        SETTINGS.admission_store,
        memory=memory_admission,
        postgres=S(
            _going_on,
            postgres_admission,
            Stores.clock,
            SETTINGS.sharers_of_limits,
            SETTINGS.goes_on_without_store,
        ),
        redis=S(
            _going_on,
            redis_admission,
            Stores.clock,
            SETTINGS.sharers_of_limits,
            SETTINGS.goes_on_without_store,
        ),
    )
    witnesses = providers.List(
        S(PostgresWitness, Stores.of_ledger, longest_call_s=SETTINGS.longest_call_s),
        providers.Selector(
            SETTINGS.admission_store,
            memory=memory_admission,
            postgres=memory_admission,
            redis=S(_redis_witness, redis_line, Stores.keys, history, Stores.clock),
        ),
    )
    caches = S(
        Caches,
        keys=Stores.key_lookup,
        credentials=Stores.credential_lookup,
        catalogue=Stores.cached_catalogue,
        counters=providers.Selector(
            SETTINGS.admission_store,
            memory=memory_admission,
            postgres=memory_admission,
            redis=redis_corrections,
        ),
    )
    changes = S(PostgresChanges, Stores.database, caches)
