from sqlalchemy import text

from space import SearchSpace, baselines, cost, plain
from studies import OpenStudy, Outcome, add_proposal, complete
from studies.store.gates import stored_gates

SE = baselines(SearchSpace(backbone="resnet8"))["se"]


def train(study: OpenStudy, number: int, gates: dict[str, dict[str, object]]) -> int:
    price = cost(SE)
    row = add_proposal(study, SE, trial=number, proposal=number, purpose="trial", seed=number)
    complete(study, row.id, 1, Outcome(0.5, b"\xf0", price.macs, price.params, 1, 1, gates=gates))
    return row.id


def test_statistics_are_grouped_by_training_and_module(study: OpenStudy) -> None:
    one: dict[str, object] = {"gain": 0.5, "gates": {}}
    other: dict[str, object] = {"gain": None, "gates": {}}
    first = train(study, 0, {"stage1.block1.residual.0": one, "stage2.block1.residual.0": other})
    train(study, 1, {})
    assert stored_gates(study) == {
        first: {"stage1.block1.residual.0": one, "stage2.block1.residual.0": other}
    }


def test_a_study_from_before_they_were_stored_has_none(study: OpenStudy) -> None:
    add_proposal(study, plain("resnet8"), trial=0, proposal=0, purpose="trial", seed=0)
    with study.engine.begin() as connection:
        connection.execute(text("DROP TABLE attention_gates"))
    assert stored_gates(study) == {}
