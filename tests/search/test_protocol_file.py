import json
from pathlib import Path

import pytest
import yaml

from search.config import Protocol, config_of
from search.defaults import with_defaults
from search.protocol_file import read_protocol, with_protocol, write_protocol
from space import Refusal

PROTOCOL = Protocol(
    dataset="cifar10",
    train_images=20_000,
    epochs=12,
    batch_size=64,
    learning_rate=0.1,
    weight_decay=1e-5,
    averaging=0.1,
    curve_images=1_000,
    precision="bfloat16",
)
SHORT = "version: 1\nprotocol: {epochs: 12, learning_rate: 0.1}\n"


def written(folder: Path, text: str, name: str = "protocol.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def study_with(path: Path, **changed: object) -> Protocol:
    """Return the protocol of a study that is given the file and these options."""
    return config_of(with_defaults(with_protocol(path, changed), "cpu", "bfloat16")).protocol


@pytest.mark.parametrize("name", ["p.yaml", "p.yml", "p.json"])
def test_a_written_protocol_is_the_one_that_is_trained_with(name: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / name
    write_protocol(path, PROTOCOL, {"tau": 0.5, "runs": [1, 2]}, backbone="resnet8")
    assert study_with(path) == PROTOCOL
    assert read_protocol(path)["backbone"] == "resnet8"
    assert "precision" not in read_protocol(path)


def test_the_files_keys_are_frozen(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    write_protocol(path, PROTOCOL, {"tau": 0.5}, backbone="resnet8")
    data = json.loads(path.read_text())
    assert list(data) == ["version", "backbone", "dataset", "protocol", "evidence"]
    assert (data["version"], data["evidence"]) == (1, {"tau": 0.5})
    assert set(data["protocol"]) == set(Protocol.model_fields) - {"dataset", "precision"}
    write_protocol(path, PROTOCOL, {})
    assert "backbone" not in json.loads(path.read_text())


def test_a_file_gives_only_what_stands_in_it(tmp_path: Path) -> None:
    assert read_protocol(written(tmp_path, SHORT)) == {"epochs": 12, "learning_rate": 0.1}


def test_options_beside_the_file_win(tmp_path: Path) -> None:
    path = written(tmp_path, SHORT + "dataset: cifar10\n")
    given = {"epochs": 3, "dataset": "cifar10-sample", "seed": 5}
    assert with_protocol(path, given) == {**given, "learning_rate": 0.1}
    assert with_protocol(None, given) == given


def test_numbers_may_be_written_as_yaml_reads_no_number(tmp_path: Path) -> None:
    """YAML 1.1 takes 5e-4, which has no point, for a text."""
    text = "version: 1\nprotocol: {weight_decay: 5e-4, learning_rate: 1}"
    assert yaml.safe_load(text)["protocol"]["weight_decay"] == "5e-4"
    found = read_protocol(written(tmp_path, text))
    assert found == {"weight_decay": 0.0005, "learning_rate": 1.0}


def test_evidence_and_its_maker_are_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, SHORT + "made_by: {command: search pilot}\nevidence: [1, {a: b}]\n")
    assert read_protocol(path) == read_protocol(written(tmp_path, SHORT, "short.yaml"))


def test_another_backbone_than_was_measured_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, SHORT + "backbone: resnet8\n")
    assert with_protocol(path, {"backbone": "resnet8"})["backbone"] == "resnet8"
    assert with_protocol(path, {})["backbone"] == "resnet8"
    rule = "protocol.yaml was measured on resnet8, got backbone resnet20; .*`search pilot`"
    with pytest.raises(Refusal, match=rule):
        with_protocol(path, {"backbone": "resnet20"})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("version: 2\nprotocol: {}", "version must be 1.*, got 2; .* update this program"),
        ("version: true\nprotocol: {}", "version must be 1.*, got True; "),
        ("version: '1'\nprotocol: {}", "version must be 1.*, got '1'; "),
        ("protocol: {epochs: 3}", "version must be 1.*, got none; write `version: 1`"),
        ("version: 1", "protocol is missing; .*`search pilot`"),
        (
            "version: 1\nprotocol: {}\nepochs: 3",
            "document: unknown key epochs; the keys are version, backbone, dataset, protocol, ",
        ),
        ("version: 1\nprotocol: {}\n7: 3", "document: unknown key 7; "),
        ("version: 1\nprotocol: {}\nbackbone: resnet19", "backbone.*got resnet19"),
        ("version: 1\nprotocol: {}\ndataset: mnist", "dataset.*got mnist"),
        (
            "version: 1\nprotocol: {lr: 0.1}",
            "protocol: unknown key lr; the keys are data_seed, train_images, .*learning_rate",
        ),
        ("version: 1\nprotocol: {epochs: '6'}", "protocol.epochs must be a number .*, got '6'"),
        ("version: 1\nprotocol: {epochs: yes}", "protocol.epochs must be a number .*, got True"),
        ("version: 1\nprotocol: {epochs: 3, epochs: 6}", "yaml file: key epochs stands twice"),
        (
            "version: 1\nprotocol: {epochs: 0}",
            "protocol.epochs: .*greater than or equal to 1, got 0",
        ),
        (
            "version: 1\nprotocol: {crop_padding: 1000000000}",
            "protocol.crop_padding: .*less than or equal to 32, got 1000000000",
        ),
        ("version: 1\nprotocol: {epochs: 2.5}", "epochs: .*valid integer.*fractional"),
        ("version: 1\nprotocol: {epochs: [3]}", "epochs"),
        ("version: 1\nprotocol: {epochs: null}", "epochs: .*valid integer, got None"),
        ("version: 1\nprotocol: {learning_rate: .inf}", "learning_rate: .*finite.*got inf"),
        ("version: 1\nprotocol: {averaging: .nan}", "averaging: .*got nan"),
        ("version: 1\nprotocol: {averaging: 0.6}", "averaging: .*equal to 0.5, got 0.6"),
        ("version: 1\nprotocol: {precision: bfloat16}", "protocol.precision must stand elsewhere"),
        ("version: 1\nprotocol: {dataset: cifar10}", "protocol.dataset must stand elsewhere"),
        (
            "version: 1\ndataset: cifar10-sample\nprotocol: {train_images: 3001}",
            "protocol: train-images must be at most 3000 for cifar10-sample, got 3001",
        ),
        ("- 1", "holds keys and values"),
        ("", "holds keys and values, got None"),
        ("version: [", "is no yaml file"),
        ("version: !!int abc", "is no yaml file"),
        ("protocol: {}\nversion: 2024-13-45", "version must be 1.*, got '2024-13-45'"),
        ("[" * 1_000, "is no yaml file: it must be nested at most 50 deep"),
        ("&a {protocol: *a}", "is no yaml file: alias \\*a is not read; write out"),
    ],
)
def test_a_refusal_is_one_line_with_the_file_the_rule_and_the_value(
    text: str, rule: str, tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(Refusal, match=rule) as caught:
        read_protocol(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    assert len(line) < len(str(path)) + 320


def test_a_json_file_is_read_as_json(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="is no json file"):
        read_protocol(written(tmp_path, SHORT, "p.json"))
    doubled = '{"version": 1, "protocol": {"epochs": 3, "epochs": 6}}'
    with pytest.raises(Refusal, match="is no json file: key epochs stands twice"):
        read_protocol(written(tmp_path, doubled, "p.json"))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"cannot read .*none.yaml: No such file"):
        read_protocol(tmp_path / "none.yaml")
    for name, shown in (("protocol.txt", "'protocol.txt'"), (".", "'.'"), ("", "'.'")):
        rule = f"^--protocol must end in .yaml, .yml, .json, got {shown}$"
        with pytest.raises(Refusal, match=rule):
            read_protocol(Path(name))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(Refusal, match="is no yaml file"):
        read_protocol(binary)
