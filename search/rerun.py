"""The command that makes a study like a stored one."""

from space import MECHANISMS

from .config import StudyConfig

# Flags that a study has on unless told otherwise, or off.
ON, OFF = ("baselines", "references"), ("early_stop",)
VALUES = ("backbone", "seed", "cost", "sampler", "audit", "replicates", "max_macs", "max_params")
TRAINED = ("dataset", "train_images", "epochs", "batch_size", "learning_rate", "weight_decay")
LATER = ("averaging", "curve_images")  # only where they are used


def rerun_command(config: StudyConfig, num_trials: int) -> str:
    """Return `search run` with every setting of the study that has an option.

    The precision follows from the machine; the rest has no option and is the default, or stands in
    a protocol file.
    """
    protocol = config.protocol
    given: dict[str, object] = {"trials": num_trials}
    given |= {name: getattr(config, name) for name in VALUES}
    given |= {name: getattr(protocol, name) for name in TRAINED}
    given |= {name: getattr(protocol, name) or None for name in LATER}
    if config.kinds != tuple(MECHANISMS):
        given["kinds"] = ",".join(config.kinds)
    options = [f"--{_option(key)} {value}" for key, value in given.items() if value is not None]
    options += [f"--no-{name}" for name in ON if not getattr(config, name)]
    options += [f"--{_option(name)}" for name in OFF if getattr(config, name)]
    return " ".join(["search run", *options])


def _option(name: str) -> str:
    return name.replace("_", "-")
