from quart import Blueprint

from ....application.gateway import Gateway
from ....application.ports.clock import Clock
from ..guard import ManagementGuard
from .answers import check_names
from .audit import add_audit
from .catalogue import add_catalogue
from .credentials import add_credentials
from .keys import add_keys
from .limits import add_limits
from .organizations import add_organizations, add_teams
from .prices import add_prices
from .simulate import add_simulate
from .spend import add_ledger, add_spend
from .verify import add_verify


def management_blueprint(gateway: Gateway, clock: Clock, guard: ManagementGuard) -> Blueprint:
    """What administrators call, all of it behind the guard."""
    blueprint = Blueprint("management", __name__, url_prefix="/api")
    blueprint.before_request(guard.__call__)  # Quart awaits functions, and no other callables
    blueprint.before_request(check_names)
    add_keys(blueprint, gateway, clock)
    add_credentials(blueprint, gateway)
    add_organizations(blueprint, gateway)
    add_teams(blueprint, gateway)
    add_limits(blueprint, gateway)
    add_catalogue(blueprint, gateway)
    add_prices(blueprint, gateway)
    add_spend(blueprint, gateway)
    add_ledger(blueprint, gateway)
    add_audit(blueprint, gateway)
    add_verify(blueprint, gateway)
    add_simulate(blueprint, gateway)
    return blueprint
