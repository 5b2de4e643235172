from quart import Blueprint, Response

from ....application.gateway import Gateway
from ...simulation_views import simulation_view
from ..bodies import read
from .answers import as_json
from .one_at_a_time import OneAtATime
from .simulation_bodies import SimulationBody

# Some seconds, of a process that has callers to serve. The command line has all the time.
_MOST_CALLS = 100_000


def add_simulate(blueprint: Blueprint, gateway: Gateway) -> None:
    one = OneAtATime("simulation")

    @blueprint.post("/simulate")
    async def simulate() -> Response:
        order = (await read(SimulationBody)).order()
        with one.turn():
            report = await gateway.simulate_traffic(order, most=_MOST_CALLS)
        return as_json(simulation_view(report))
