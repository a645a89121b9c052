"""What the command line answers to those who cite figures."""

import json
from collections.abc import Callable

from tests.flows.conftest import Said

Manifiesta = Callable[..., Said]


def test_check_figure_answers_a_person_and_a_program(manifiesta: Manifiesta) -> None:
    said = manifiesta("check-figure", "--share", "35.24", "--n", 5796)
    assert said.code == 1
    assert "impossible" in said.out
    assert "105" in said.out
    shares = ("--share", "35,24", "--share", "40", "--share", "24.76")
    said = manifiesta("check-figure", *shares, "--n", 105, "--parts", "--json")
    assert said.code == 0
    answer = json.loads(said.out)
    assert answer["fits"] is True
    assert answer["roundings"][0]["counts"] == [[37, 37], [42, 42], [26, 26]]
