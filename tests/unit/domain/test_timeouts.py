import math

import pytest

from langroute.domain.timeouts import Timeouts


@pytest.mark.parametrize("name", Timeouts.__slots__)
@pytest.mark.parametrize("wrong", [0, -1, -0.5, math.inf, -math.inf, math.nan])
def test_refuses_a_time_that_never_comes(name: str, wrong: float) -> None:
    with pytest.raises(ValueError, match=name):
        Timeouts(**{name: wrong})


def test_any_time_above_0_will_do() -> None:
    assert Timeouts(connect_s=0.001, total_s=10**6).total_s == 10**6
