import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from space import (
    Architecture,
    SearchSpace,
    baselines,
    digest,
    plain,
    read_architecture,
    write_architecture,
)

NAMES = ["resnet20", "resnet18"]


def examples() -> list[Architecture]:
    found = [plain(name) for name in NAMES]
    for name in NAMES:
        found += baselines(SearchSpace(backbone=name)).values()
    return [*found, in_stage1({"kind": "se"}, {"kind": "gam", "variant": "depthwise"})]


def in_stage1(*attentions: dict[str, Any], **place: str) -> Architecture:
    placements = [{"attention": one, "position": "residual", **place} for one in attentions]
    return Architecture.model_validate(
        {"backbone": "resnet8", "stages": (tuple(placements), (), ())}
    )


@pytest.mark.parametrize("architecture", examples(), ids=digest)
def test_json_and_back_is_the_same_architecture(architecture: Architecture) -> None:
    assert Architecture.from_json(architecture.to_json()) == architecture


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_a_file_and_back_is_the_same_architecture(tmp_path: Path, suffix: str) -> None:
    for number, architecture in enumerate(examples()):
        path = tmp_path / "new" / f"{number}{suffix}"
        write_architecture(architecture, path, comment="two lines\nof comment")
        assert read_architecture(path) == architecture
        assert path.read_text().startswith("# two lines\n# of comment\n") == (suffix != ".json")


def test_a_short_file_gets_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "short.yaml"
    path.write_text(
        "backbone: resnet8\n"
        "stages:\n"
        "- [{attention: {kind: non_local}, position: stage_end}]\n"
        "- []\n"
        "- []\n"
    )
    found = read_architecture(path)
    assert found == in_stage1({"kind": "non_local"}, position="stage_end", blocks="last")
    assert json.loads(found.to_json())["stages"][0][0]["attention"]["reduction"] == 2


def test_two_spellings_of_one_network_share_a_digest() -> None:
    # At 16 channels the minimum width 4 overrules reductions above 4.
    assert in_stage1({"kind": "se", "reduction": 8}) != in_stage1({"kind": "se"})
    assert digest(in_stage1({"kind": "se", "reduction": 8})) == digest(in_stage1({"kind": "se"}))
    # Groups do nothing in a variant without them, scores nothing without a channel branch.
    assert digest(in_stage1({"kind": "gam", "groups": 2})) == digest(in_stage1({"kind": "gam"}))
    assert digest(
        in_stage1({"kind": "dual", "branches": "position", "channel_scores": "cosine"})
    ) == digest(in_stage1({"kind": "dual", "branches": "position"}))
    # With one block to a stage, all of them are the last.
    assert digest(in_stage1({"kind": "se"}, blocks="last")) == digest(in_stage1({"kind": "se"}))


def test_different_networks_have_different_digests() -> None:
    different = [
        *examples(),
        plain("resnet8"),
        plain("resnet8", 100),
        in_stage1({"kind": "se"}),
        in_stage1({"kind": "se"}, position="stage_end"),
        in_stage1({"kind": "se", "bias": False}),
        in_stage1({"kind": "se"}, {"kind": "cbam"}),
        in_stage1({"kind": "cbam"}, {"kind": "se"}),
        in_stage1({"kind": "dual", "channel_scores": "scaled"}),
        in_stage1({"kind": "dual"}),
    ]
    assert len({digest(one) for one in different}) == len(different)


def test_a_digest_hashes_the_effective_sizes() -> None:
    sizes = '[1,1,"residual",0,"se",{"bias":true,"hidden":4}]'
    text = f'{{"backbone":"resnet8","num_classes":10,"slots":[{sizes}]}}'
    assert digest(in_stage1({"kind": "se"})) == hashlib.sha256(text.encode()).hexdigest()[:16]
