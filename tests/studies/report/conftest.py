"""A study of every network of SE in ResNet-8, and the facts of its page."""

import pytest

from search.config import config_of
from space import SearchSpace
from studies import Epoch, Outcome, add_epoch, add_proposal, complete, create_or_open, read_front
from studies.report import CONFIRM, ReportFacts, Words, report_facts
from tests.search.scripted import SETTINGS
from tests.studies.planted import factorial, planted

WORTH = {(2, "se"): 0.03}
WORDS = Words(
    title="Study <b> on cifar10-sample",
    protocol="2 epochs",
    budgets="no limit of cost",
    num_validation=1000,
    below_front=("noise & such",),
    commands={CONFIRM: "search confirm --study 'a <b>'"},
)
EDGE = 2.0


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> ReportFacts:
    """Return them once for all tests: they are frozen."""
    url = f"sqlite:///{tmp_path_factory.mktemp('study')}/study.db"
    study = create_or_open(
        url,
        "attention",
        config_of({**SETTINGS, "backbone": "resnet8", "sampler": "known-cost"}).settings(),
    )
    networks = factorial(SearchSpace(backbone="resnet8", kinds=("se",)))
    for one in planted([*networks[:1] * 2, *networks], WORTH, noise=0.002):
        row = add_proposal(
            study, one.architecture, trial=one.trial, proposal=one.proposal, purpose="trial",
            seed=one.seed,
        )  # fmt: skip
        add_epoch(study, row.id, 1, Epoch(1, 1.0, 1.0, 0.5, 2.0))
        accuracy = one.accuracy or 0.0
        complete(study, row.id, 1, Outcome(accuracy, b"\xf0", one.cost.macs, 1, 3.0, 9.0))
    return report_facts(
        study, read_front(study), words=WORDS, edge=EDGE, explained=None, confirmations=()
    )
