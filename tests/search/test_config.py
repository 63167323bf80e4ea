import json
from hashlib import sha256
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from search.budgets import OPTIONS
from search.config import (
    LATER,
    NUM_TRAIN,
    NUM_VALIDATION,
    CostName,
    Dataset,
    Precision,
    Protocol,
    SamplerName,
    StudyConfig,
    _search_space,
    config_of,
)
from search.samplers.table import SAMPLERS
from search.training import data
from space import MECHANISMS, Refusal, cost, plain

Values = dict[str, object]
GIVEN: dict[str, Any] = {
    "dataset": "cifar10",
    "train_images": 3_000,
    "epochs": 6,
    "batch_size": 128,
    "learning_rate": 0.2,
}
OTHER_PROTOCOL: dict[str, Any] = {
    "dataset": "cifar10-sample",
    "data_seed": 1,
    "train_images": 2_999,
    "epochs": 7,
    "batch_size": 64,
    "learning_rate": 0.3,
    "weight_decay": 0.0,
    "momentum": 0.0,
    "label_smoothing": 0.0,
    "warmup": 0.5,
    "crop_padding": 0,
    "precision": "bfloat16",
    "averaging": 0.1,
    "curve_images": 500,
    "recipe": "tutorial",
}
OTHER_STUDY: dict[str, Any] = {
    "backbone": "resnet18",
    "kinds": ["se", "cbam"],
    "cost": "params",
    "sampler": "random",
    "seed": 3,
    "max_macs": 50_000_000,
    "max_params": 300_000,
    "baselines": False,
    "references": False,
    "early_stop": True,
    "audit": 0.3,
    "replicates": 0.0,
}


@pytest.fixture
def values() -> Values:
    return {"backbone": "resnet20", **GIVEN}


def test_a_new_field_needs_a_place_in_these_tests() -> None:
    assert set(OTHER_PROTOCOL) == set(Protocol.model_fields)
    assert set(OTHER_STUDY) | {"protocol"} == set(StudyConfig.model_fields)


@pytest.mark.parametrize("field", OTHER_PROTOCOL)
def test_the_protocols_digest_changes_with_every_field(field: str) -> None:
    usual = Protocol(**GIVEN)
    other = Protocol(**{**GIVEN, field: OTHER_PROTOCOL[field]})
    assert other.digest() != usual.digest()


def test_the_protocols_digest_does_not_depend_on_the_order_of_fields() -> None:
    backwards = Protocol(**dict(reversed(GIVEN.items())))
    explicit = Protocol(**Protocol(**GIVEN).model_dump())
    assert backwards.digest() == explicit.digest() == Protocol(**GIVEN).digest()
    assert len(backwards.digest()) == 16
    assert int(backwards.digest(), 16) >= 0


@pytest.mark.parametrize("field", OTHER_STUDY)
def test_what_is_searched_does_not_change_the_protocol(field: str, values: Values) -> None:
    usual, other = config_of(values), config_of({**values, field: OTHER_STUDY[field]})
    assert other != usual
    assert other.protocol.digest() == usual.protocol.digest()
    assert other.settings()[field] == OTHER_STUDY[field] != usual.settings()[field]


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("epochs", 0, "--epochs: .*greater than or equal to 1, got 0"),
        ("epochs", 10**9, "--epochs: .*less than or equal to 100000, got 1000000000"),
        ("batch_size", 10**9, "--batch-size: .*less than or equal to 50000, got 1000000000"),
        ("crop_padding", 10**9, "--crop-padding: .*less than or equal to 32, got 1000000000"),
        ("batch_size", 1, "--batch-size: .*greater than or equal to 2, got 1"),
        ("train_images", 9, "--train-images: .*greater than or equal to 10, got 9"),
        ("train_images", 45_001, "--train-images must be at most 45000 for cifar10, got 45001"),
        ("learning_rate", 0, "--learning-rate: .*greater than 0, got 0"),
        ("learning_rate", float("inf"), "--learning-rate: .*finite number, got inf"),
        ("weight_decay", -1, "--weight-decay: .*greater than or equal to 0, got -1"),
        ("dataset", "mnist", "--dataset: .*'cifar10' or 'cifar10-sample', got mnist"),
        ("backbone", "resnet51", "--backbone: .*got resnet51"),
        ("cost", "latency", "--cost: .*'macs' or 'params', got latency"),
        ("sampler", "grid", "--sampler: .*got grid"),
        ("seed", -1, "--seed: .*greater than or equal to 0, got -1"),
        ("max_macs", 0, "--max-macs: .*greater than or equal to 1, got 0"),
        ("max_params", "many", "--max-params: .*valid integer.*, got many"),
        ("audit", 1.1, "--audit: .*less than or equal to 1, got 1.1"),
        ("audit", float("nan"), "--audit: .*, got nan"),
        ("replicates", 0.91, "--replicates: .*less than or equal to 0.9, got 0.91"),
        ("averaging", 0.6, "--averaging: .*less than or equal to 0.5, got 0.6"),
        ("curve_images", 9, "--curve-images: .*greater than or equal to 10, got 9"),
        ("curve_images", 5_001, "--curve-images must be at most 5000 for cifar10, got 5001"),
        ("precision", "float16", "--precision: .*got float16"),
    ],
)
def test_a_refusal_names_the_option_the_rule_and_the_value(
    option: str, value: object, rule: str, values: Values
) -> None:
    with pytest.raises(Refusal, match=rule):
        config_of({**values, option: value})


def test_older_protocols_keep_their_digest() -> None:
    """What they lacked counts only where it is used."""
    plain = {name: value for name, value in OTHER_PROTOCOL.items() if name not in LATER}
    assert set(LATER) == {"averaging", "curve_images", "recipe"}
    known = Protocol(**plain).model_dump(mode="json", exclude=set(LATER))
    text = json.dumps(known, sort_keys=True)
    assert Protocol(**plain).digest() == sha256(text.encode()).hexdigest()[:16]


def test_limits_are_the_budgets_that_are_set(values: Values) -> None:
    assert config_of(values).limits == {}
    both = config_of({**values, "max_macs": 50_000_000, "max_params": 300_000})
    assert both.limits == {"macs": 50_000_000, "params": 300_000}


def test_every_cost_can_have_a_budget() -> None:
    assert set(OPTIONS) == set(get_args(CostName))


@pytest.mark.parametrize("name", ["dataset", "backbone", "sampler", "precision"])
def test_bytes_that_are_no_text_are_refused_by_name(name: str, values: Values) -> None:
    with pytest.raises(Refusal, match=f"^--{name}: ") as refused:
        config_of({**values, name: "\udc80"})
    assert "\udc80" in str(refused.value).replace(r"\udc80", "\udc80")


def test_a_missing_value_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match="--epochs"):
        config_of({"backbone": "resnet20", **{k: v for k, v in GIVEN.items() if k != "epochs"}})


@pytest.mark.parametrize("dataset", get_args(Dataset))
def test_as_many_images_as_there_are_can_be_trained_on(dataset: str, values: Values) -> None:
    most = NUM_TRAIN[dataset]
    found = config_of({**values, "dataset": dataset, "train_images": most})
    assert found.protocol.train_images == most
    with pytest.raises(Refusal, match=f"--train-images must be at most {most} for {dataset}"):
        config_of({**values, "dataset": dataset, "train_images": most + 1})


def test_settings_go_through_json_and_back(values: Values) -> None:
    config = config_of({**values, **OTHER_STUDY, **OTHER_PROTOCOL})
    settings = json.loads(json.dumps(config.settings()))
    assert settings == config.settings()
    assert config_of(settings) == config
    assert settings["protocol_digest"] == config.protocol.digest()


def test_settings_hold_the_choices_of_the_space(
    values: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = config_of(values).settings()["space_digest"]
    assert before != config_of({**values, "kinds": ["se"]}).settings()["space_digest"]
    with monkeypatch.context() as patch:
        patch.setattr(MECHANISMS["se"], "searched", {"reduction": (4, 8)})
        _search_space.cache_clear()
        after = config_of(values).settings()["space_digest"]
    _search_space.cache_clear()  # or later tests would search the space of this one
    assert before != after


def test_settings_keep_their_names(values: Values) -> None:
    named = {*OTHER_PROTOCOL, *OTHER_STUDY, "protocol_digest", "space_digest"}
    assert set(config_of(values).settings()) == named


def test_a_config_cannot_be_changed(values: Values) -> None:
    config = config_of(values)
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 1  # type: ignore[misc] # that is the test
    with pytest.raises(ValidationError, match="frozen"):
        config.protocol.epochs = 1  # type: ignore[misc] # the same


def test_typed_names_are_frozen() -> None:
    assert get_args(CostName) == ("macs", "params")
    known = ("known-cost", "tpe", "tpe-group", "nsga2", "random")
    assert get_args(SamplerName) == known == tuple(SAMPLERS)
    assert get_args(Precision) == ("float32", "bfloat16")
    assert get_args(Dataset) == data.DATASETS == tuple(NUM_VALIDATION)
    assert tuple(NUM_TRAIN) == tuple(NUM_VALIDATION)


def test_every_cost_has_a_price() -> None:
    assert all(cost(plain("resnet20"))[name] > 0 for name in get_args(CostName))


def test_validation_sets_fill_whole_bytes() -> None:
    """Paired comparisons read every stored bit as an image."""
    assert [number % 8 for number in NUM_VALIDATION.values()] == [0, 0]
    assert NUM_VALIDATION["cifar10-sample"] == len(data.load("cifar10-sample").validation_labels)


def test_the_searched_space_follows_backbone_and_kinds(values: Values) -> None:
    config = config_of({**values, "kinds": ["se"]})
    assert (config.search_space.backbone, config.search_space.kinds) == ("resnet20", ("se",))
    assert config_of(values).search_space.kinds == tuple(MECHANISMS)
    assert config.search_space is config_of({**values, "kinds": ["se"], "seed": 9}).search_space
