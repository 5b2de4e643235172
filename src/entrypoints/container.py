"""Where what `wiring` holds in parts comes together."""

from typing import Any

from dependency_injector import providers

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
from ..adapters.memory.past_calls import MemoryPastCalls
from ..adapters.memory.reservations import MemoryReservations
from ..adapters.memory.virtual_keys import MemoryKeys
from ..application.gateway import Gateway
from ..application.ports.audit import Actors
from .settings import Settings
from .wiring import calls, management
from .wiring.management import Management
from .wiring.stores import SETTINGS, S


def _app(admin_key: str | None, is_development: bool, actors: Actors, **parts: Any) -> Any:
    # Commands need none: all that it imports is a fifth of their start.
    from .http.app import HttpParts, create_app  # noqa: PLC0415
    from .http.guard import ManagementGuard  # noqa: PLC0415

    guard = ManagementGuard(admin_key=admin_key, open_in_development=is_development, actors=actors)
    return create_app(HttpParts(guard=guard, **parts))


class Container(Management):
    """LangRoute on Postgres. Nothing here opens or starts anything: `lifecycle` does."""

    gateway = S(Gateway, **calls.USE_CASES, **management.USE_CASES)
    app = S(
        _app,
        SETTINGS.admin_key_text,
        SETTINGS.dev,
        Management.actors,
        gateway=gateway,
        clock=Management.clock,
        entropy=Management.entropy,
        is_ready=Management.is_ready,
        max_body_bytes=SETTINGS.max_body_bytes,
        idle_s=SETTINGS.idle_timeout_s,
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
    container.past_calls.override(S(MemoryPastCalls, ledger))
    container.admission.override(container.memory_admission)
    container.reservations.override(S(MemoryReservations, container.clock))
    container.idempotent_replies.override(S(MemoryIdempotency, container.clock))
    container.is_ready.override(S(MemoryHealth))
    return container
