from dataclasses import dataclass

from .audit.report_changes import ReportChanges
from .calls.authorize import Authorize
from .calls.complete_chat import CompleteChat
from .calls.expire_reservations import ExpireReservations
from .calls.list_models import ListModels
from .calls.perform_operation import PerformOperation
from .calls.quote_call import QuoteCall
from .calls.stream_chat import StreamChat
from .calls.stream_operation import StreamOperation
from .catalogue.compare_prices import ComparePrices
from .catalogue.define_provider import DefineProvider
from .catalogue.define_route import DefineRoute
from .catalogue.seed_catalogue import SeedCatalogue
from .catalogue.set_price import SetPrice
from .catalogue.sync_prices import SyncPrices
from .credentials.remove_credential import RemoveCredential
from .credentials.reseal_credentials import ResealCredentials
from .credentials.save_credentials import SaveCredentials
from .idempotency.answer_once import AnswerOnce
from .keys.change_virtual_key import ChangeVirtualKey
from .keys.issue_virtual_key import IssueVirtualKey
from .keys.list_virtual_keys import ListVirtualKeys
from .keys.revoke_virtual_key import RevokeVirtualKey
from .keys.rotate_virtual_key import RotateVirtualKey
from .ledger.correct_entry import CorrectEntry
from .ledger.re_rate import ReRate
from .ledger.simulate_traffic import SimulateTraffic
from .ledger.verify_ledger import VerifyLedger
from .organizations.change_organization import ChangeOrganization
from .organizations.change_team import ChangeTeam
from .organizations.define_organization import DefineOrganization
from .organizations.define_team import DefineTeam
from .organizations.lift_limit import LiftLimit
from .organizations.list_organizations import ListOrganizations
from .organizations.remove_organization import RemoveOrganization
from .organizations.remove_team import RemoveTeam
from .organizations.set_limit import SetLimit
from .ports.catalogues import Catalogues
from .spend.report_own_usage import ReportOwnUsage
from .spend.report_spend import ReportSpend


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Everything that the gateway can do, ready to call: with HTTP in front of it, or without."""

    authorize: Authorize
    complete_chat: CompleteChat
    stream_chat: StreamChat
    perform_operation: PerformOperation
    stream_operation: StreamOperation
    list_models: ListModels
    expire_reservations: ExpireReservations
    answer_once: AnswerOnce
    quote_call: QuoteCall
    report_own_usage: ReportOwnUsage

    issue_virtual_key: IssueVirtualKey
    list_virtual_keys: ListVirtualKeys
    change_virtual_key: ChangeVirtualKey
    rotate_virtual_key: RotateVirtualKey
    revoke_virtual_key: RevokeVirtualKey

    list_organizations: ListOrganizations
    define_organization: DefineOrganization
    change_organization: ChangeOrganization
    remove_organization: RemoveOrganization
    define_team: DefineTeam
    change_team: ChangeTeam
    remove_team: RemoveTeam
    set_limit: SetLimit
    lift_limit: LiftLimit

    save_credentials: SaveCredentials
    remove_credential: RemoveCredential
    reseal_credentials: ResealCredentials

    define_provider: DefineProvider
    define_route: DefineRoute
    set_price: SetPrice
    compare_prices: ComparePrices
    sync_prices: SyncPrices
    seed_catalogue: SeedCatalogue
    catalogues: Catalogues

    report_spend: ReportSpend
    correct_entry: CorrectEntry
    re_rate: ReRate
    verify_ledger: VerifyLedger
    simulate_traffic: SimulateTraffic
    report_changes: ReportChanges
