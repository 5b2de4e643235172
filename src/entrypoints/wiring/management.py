from typing import Any

from dependency_injector.providers import Provider

from ...adapters.pricing.genai_list_prices import GenaiListPrices
from ...adapters.wire.codecs import default_urls
from ...application.audit.report_changes import ReportChanges
from ...application.catalogue.compare_prices import ComparePrices
from ...application.catalogue.define_provider import DefineProvider
from ...application.catalogue.define_route import DefineRoute
from ...application.catalogue.seed_catalogue import SeedCatalogue
from ...application.catalogue.set_price import SetPrice
from ...application.catalogue.sync_prices import SyncPrices
from ...application.credentials.remove_credential import RemoveCredential
from ...application.credentials.reseal_credentials import ResealCredentials
from ...application.credentials.save_credentials import SaveCredentials
from ...application.keys.change_virtual_key import ChangeVirtualKey
from ...application.keys.issue_virtual_key import IssueVirtualKey
from ...application.keys.list_virtual_keys import ListVirtualKeys
from ...application.keys.revoke_virtual_key import RevokeVirtualKey
from ...application.keys.rotate_virtual_key import RotateVirtualKey
from ...application.ledger.correct_entry import CorrectEntry
from ...application.ledger.re_rate import ReRate
from ...application.ledger.simulate_traffic import SimulateTraffic
from ...application.ledger.verify_ledger import VerifyLedger
from ...application.organizations.change_organization import ChangeOrganization
from ...application.organizations.change_team import ChangeTeam
from ...application.organizations.define_organization import DefineOrganization
from ...application.organizations.define_team import DefineTeam
from ...application.organizations.lift_limit import LiftLimit
from ...application.organizations.list_organizations import ListOrganizations
from ...application.organizations.remove_organization import RemoveOrganization
from ...application.organizations.remove_team import RemoveTeam
from ...application.organizations.set_limit import SetLimit
from ...application.spend.report_spend import ReportSpend
from .calls import Calls
from .stores import SETTINGS, S


class Management(Calls):
    """What operators see and change."""

    list_prices = S(GenaiListPrices)
    compare_prices = S(ComparePrices, Calls.catalogues, list_prices, Calls.clock)


USE_CASES: dict[str, Provider[Any]] = {
    "issue_virtual_key": S(
        IssueVirtualKey,
        keys=Management.keys,
        organizations=Management.organizations,
        clock=Management.clock,
        entropy=Management.entropy,
        default_limits=SETTINGS.default_limits,
    ),
    "list_virtual_keys": S(ListVirtualKeys, Management.keys),
    "change_virtual_key": S(ChangeVirtualKey, Management.keys, Management.organizations),
    "rotate_virtual_key": S(RotateVirtualKey, Management.keys, Management.entropy),
    "revoke_virtual_key": S(RevokeVirtualKey, Management.keys, Management.clock),
    "list_organizations": S(ListOrganizations, Management.organizations),
    "define_organization": S(DefineOrganization, Management.organizations, Management.entropy),
    "change_organization": S(ChangeOrganization, Management.organizations),
    "remove_organization": S(RemoveOrganization, Management.organizations),
    "define_team": S(DefineTeam, Management.organizations, Management.entropy),
    "change_team": S(ChangeTeam, Management.organizations),
    "remove_team": S(RemoveTeam, Management.organizations),
    "set_limit": S(SetLimit, Management.carried_limits),
    "lift_limit": S(LiftLimit, Management.carried_limits),
    "save_credentials": S(
        SaveCredentials,
        keys=Management.keys,
        credentials=Management.credentials,
        catalogues=Management.catalogue,
        seal=Management.seal,
    ),
    "remove_credential": S(RemoveCredential, Management.credentials),
    "reseal_credentials": S(ResealCredentials, Management.credentials, Management.seal),
    "define_provider": S(
        DefineProvider,
        Management.catalogues,
        Management.catalogue,
        S(default_urls, Management.codecs),
    ),
    "define_route": S(DefineRoute, Management.catalogues, Management.catalogue),
    "set_price": S(SetPrice, Management.catalogues, Management.catalogue, Management.clock),
    "compare_prices": Management.compare_prices,
    "sync_prices": S(
        SyncPrices,
        Management.compare_prices,
        Management.catalogues,
        Management.catalogue,
        Management.clock,
    ),
    "seed_catalogue": S(
        SeedCatalogue, Management.catalogues, Management.catalogue, Management.list_prices
    ),
    "catalogues": Management.catalogues,
    "report_spend": S(ReportSpend, Management.reports),
    "verify_ledger": S(VerifyLedger, Management.witnesses),
    "simulate_traffic": S(
        SimulateTraffic,
        calls=Management.past_calls,
        keys=Management.keys,
        organizations=Management.organizations,
        catalogues=Management.catalogues,
        list_prices=Management.list_prices,
        clock=Management.clock,
        longest_call_s=SETTINGS.longest_call_s,
    ),
    "correct_entry": S(
        CorrectEntry,
        ledger=Management.corrections,
        catalogues=Management.catalogue,
        audit=Management.audit,
        clock=Management.clock,
    ),
    "re_rate": S(
        ReRate,
        calls=Management.charged_calls,
        ledger=Management.corrections,
        catalogues=Management.catalogues,
        audit=Management.audit,
        clock=Management.clock,
    ),
    "report_changes": S(ReportChanges, Management.audit),
}
