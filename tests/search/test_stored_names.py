"""Words and keys in the cells of a study's tables: later versions must go on reading them."""

import json
from typing import get_args

from search.config import StudyConfig
from search.dashboard_feed import AREA, FIGURE, NOTED, STAGES
from search.driver import Driver, Limits
from search.driver import Ending as SessionEnding
from search.listener import Listener
from search.proposals import PLACE
from space import plain
from studies import OpenStudy
from studies.confirmation.comparison import Arm, Claim, Confirmation, Role
from studies.store.extras import Extra, ExtraPurpose
from studies.store.locks import lock_path
from studies.store.records import Ending, Purpose, State
from studies.store.sessions import Surroundings
from studies.store.settings import SPACE
from studies.store.storage import UID
from tests.search.scripted import ScriptedExecutor


def test_states_purposes_and_endings_keep_their_words() -> None:
    assert get_args(State) == (
        *("proposed", "running", "complete", "failed", "refused", "stopped"),
    )
    assert get_args(Purpose) == ("trial", "replicate", "reference", "audit")
    assert get_args(Ending) == ("complete", "failed", "out_of_memory", "stopped")
    assert get_args(ExtraPurpose) == ("confirm", "fresh", "ablation", "baseline")
    assert get_args(Extra.__annotations__["state"]) == ("waiting", "complete", "failed")
    assert get_args(SessionEnding) == ("total", "interrupted", "time", "failures", "refusals")
    assert get_args(Role) == ("plain", "finalist", "uniform", "random", "deeper")


def test_attributes_and_constraints_in_optuna_keep_their_names(
    study: OpenStudy, config: StudyConfig
) -> None:
    Driver(study, config, ScriptedExecutor(), listener=Listener()).run(Limits(3), lambda: False)
    trial = study.optuna.get_trials(deepcopy=False)[0]
    assert set(study.optuna.user_attrs) == {"attention_study_uid"}
    assert set(trial.user_attrs) == {
        *("placements", "digest", "macs", "params", "proposal", "purpose"),
    }
    assert study.optuna.metric_names == ["accuracy", "macs"]
    assert {UID, SPACE, NOTED, PLACE} == {
        *("attention_study_uid", "space_digest", "attention_noted_trials", "place"),
    }
    assert {FIGURE, AREA, STAGES} == {
        *("attention-front", "attention-hypervolume", "attention-stages"),
    }


def test_the_lock_of_a_study_keeps_its_name() -> None:
    """Two versions that run one study must meet at one file."""
    assert lock_path("sqlite:////folder/study.db", "one").name == "study.db.one.lock"


def test_an_architecture_keeps_its_keys() -> None:
    assert json.loads(plain("resnet8").to_json()) == {
        "version": 1,
        "backbone": "resnet8",
        "num_classes": 10,
        "stages": [[], [], []],
    }


def test_a_confirmation_keeps_its_keys() -> None:
    claim = Claim(accuracy=0.9, standard_error=0.01, gain=0.02, gain_error=0.01, num_evaluations=3)
    arm = Arm(role="finalist", architecture=plain("resnet8"), seeds=(1,), claim=claim)
    document = json.loads(
        Confirmation(
            epochs=1,
            num_images=10,
            protocol_digest="a",
            own_digest="b",
            fresh_seeds=(2,),
            arms=(arm,),
        ).model_dump_json()
    )
    assert list(document) == [
        *("version", "epochs", "num_images", "protocol_digest", "own_digest", "fresh_seeds"),
        *("arms", "noise_sd", "noise_freedom"),
    ]
    assert list(document["arms"][0]) == ["role", "architecture", "seeds", "claim"]
    assert list(document["arms"][0]["claim"]) == [
        *("accuracy", "standard_error", "gain", "gain_error", "num_evaluations"),
    ]


def test_the_surroundings_of_a_session_keep_their_keys() -> None:
    assert list(Surroundings.model_fields) == [
        *("command", "device", "hardware", "num_cores", "num_workers", "system", "versions"),
    ]
