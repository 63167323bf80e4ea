"""The plain network and mechanisms in their usual places, each with several seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from space import Architecture, Refusal, SearchSpace, baselines, digest, plain, read_architecture
from studies.confirmation.comparison import Arm, Confirmation, Interval, gains
from studies.store.extras import Extra, Wanted

from .config import NUM_VALIDATION, StudyConfig
from .seeds import derived_seed

TUTORIALS = ("se", "cbam", "non_local", "dual", "criss_cross", "gam")
# The tutorials' training: no augmentation, Adam at one rate.
TUTORIAL: Mapping[str, object] = {
    "recipe": "tutorial",
    "batch_size": 128,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "crop_padding": 0,
}
RECIPES: Mapping[str, Mapping[str, object]] = {"study": {"recipe": "study"}, "tutorial": TUTORIAL}
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Row:
    """What one network showed: accuracies by seed, 0 to 1, and seconds of an epoch."""

    name: str
    architecture: Architecture
    accuracies: tuple[float, ...]
    gain: Interval | None  # None of plain, and below two seeds
    epoch_seconds: float | None
    num_failed: int = 0


def compared(
    search_space: SearchSpace, kinds: Sequence[str], files: Sequence[Path]
) -> dict[str, Architecture]:
    """Return the networks by name, plain first.

    Raises:
        Refusal: a mechanism is not of the space, or a file is of another backbone or of other
            classes, or names a network that is there already.
    """
    usual = baselines(search_space)
    absent = [kind for kind in kinds if kind not in usual]
    if absent:
        raise Refusal(
            f"--kinds must be mechanisms of the study's space ({', '.join(usual)}), got "
            f"{', '.join(absent)}; name others, or another --study"
        )
    found = {PLAIN: plain(search_space.backbone), **{kind: usual[kind] for kind in kinds}}
    for file in files:
        one = read_architecture(file)
        if one.backbone != search_space.backbone:
            raise Refusal(
                f"--file must be of {search_space.backbone}, got {file} of {one.backbone}; "
                "name that --backbone, or leave the file out"
            )
        if one.num_classes != found[PLAIN].num_classes:
            raise Refusal(
                f"--file must have {found[PLAIN].num_classes} classes, got {file} with "
                f"{one.num_classes}; leave it out"
            )
        if file.stem in found or digest(one) in map(digest, found.values()):
            raise Refusal(f"--file must each name another network, got {file}; leave it out")
        found[file.stem] = one
    return found


def wanted_of(
    networks: Mapping[str, Architecture], config: StudyConfig, num_seeds: int
) -> list[Wanted]:
    """Return the trainings, a seed of each network before the next seed."""
    own = config.protocol.digest()
    return [
        Wanted("baseline", one, _seed(config, one, turn), own)
        for turn in range(num_seeds)
        for one in networks.values()
    ]


def confirmation_of(
    networks: Mapping[str, Architecture], config: StudyConfig, num_seeds: int
) -> Confirmation:
    """Return the same as a confirmation: on validation images too, then the test."""
    protocol = config.protocol
    return Confirmation(
        epochs=protocol.epochs,
        num_images=protocol.train_images + NUM_VALIDATION[protocol.dataset],
        protocol_digest=protocol.digest(),
        own_digest=protocol.digest(),
        fresh_seeds=(),
        arms=tuple(
            Arm(
                role="plain" if name == PLAIN else "uniform",
                architecture=one,
                seeds=tuple(_seed(config, one, turn) for turn in range(num_seeds)),
            )
            for name, one in networks.items()
        ),
    )


def rows(
    networks: Mapping[str, Architecture],
    done: Sequence[Extra],
    epochs: int,
    accuracy: Callable[[Extra], float | None],
) -> list[Row]:
    """Return one row for each network; `accuracy` says what counts of a training."""
    trained = {
        name: [one for one in done if one.digest == digest(network)]
        for name, network in networks.items()
    }
    known = {
        name: tuple(value for one in found if (value := accuracy(one)) is not None)
        for name, found in trained.items()
    }
    enough = {name: values for name, values in known.items() if len(values) > 1}
    over = gains(enough, PLAIN) if PLAIN in enough else {}
    return [
        Row(
            name,
            network,
            known[name],
            over.get(name),
            _epoch_seconds(trained[name], epochs),
            sum(one.state == "failed" for one in trained[name]),
        )
        for name, network in networks.items()
    ]


def _epoch_seconds(done: Sequence[Extra], epochs: int) -> float | None:
    seconds = [one.seconds for one in done if one.seconds is not None]
    return sum(seconds) / len(seconds) / epochs if seconds else None


def _seed(config: StudyConfig, architecture: Architecture, turn: int) -> int:
    return derived_seed(config.seed, "baseline", f"{digest(architecture)}/{turn}")
