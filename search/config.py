"""Every knob of a study, frozen, and stored with it."""

import hashlib
import json
import reprlib
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from space import MECHANISMS, BackboneName, Refusal, SearchSpace
from space.architecture import first_problem

from .budgets import limits_of

NUM_TRAIN = {"cifar10": 45_000, "cifar10-sample": 3_000}
MAX_SEED = 2**63 - 1  # of torch
MAX_EPOCHS = 100_000
MAX_BATCH = 50_000  # all images that can be trained on
MAX_PADDING = 32  # from there on a crop may hold nothing of its image
SAMPLE = "cifar10-sample"  # which comes with the package
NUM_VALIDATION = {"cifar10": 5_000, "cifar10-sample": 1_000}
# Fields of Protocol that older studies lack.
LATER = {"averaging": 0.0, "curve_images": None, "recipe": "study"}
Dataset = Literal["cifar10", "cifar10-sample"]
CostName = Literal["macs", "params"]
SamplerName = Literal["known-cost", "tpe", "tpe-group", "nsga2", "random"]
Precision = Literal["float32", "bfloat16"]
Recipe = Literal["study", "tutorial"]  # the tutorials': Adam at one rate, images as they are
Unit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Protocol(BaseModel):
    """How one network is trained; estimates pool trainings of one protocol only.

    The split of the data comes from `data_seed`, everything else of a run from the run's seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: Dataset
    data_seed: int = Field(default=0, ge=0, le=MAX_SEED)
    train_images: int = Field(ge=10)
    epochs: int = Field(ge=1, le=MAX_EPOCHS)
    batch_size: int = Field(ge=2, le=MAX_BATCH)
    learning_rate: Unit  # at its peak
    weight_decay: float = Field(default=5e-4, ge=0, allow_inf_nan=False)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    warmup: float = Field(default=0.25, gt=0, lt=1)  # share of the steps before the peak
    crop_padding: int = Field(default=4, ge=0, le=MAX_PADDING)
    precision: Precision = "float32"
    averaging: float = Field(default=0.0, ge=0, le=0.5)  # share of the steps so far; 0 is off
    curve_images: int | None = Field(default=None, ge=10)  # validate epochs before the last
    recipe: Recipe = "study"

    @model_validator(mode="after")
    def _has_the_images(self) -> Self:
        most = NUM_TRAIN[self.dataset]
        if self.train_images > most:
            raise ValueError(
                f"train-images must be at most {most} for {self.dataset}, got {self.train_images}"
            )
        least = NUM_VALIDATION[self.dataset]
        if self.curve_images is not None and self.curve_images > least:
            raise ValueError(
                f"curve-images must be at most {least} for {self.dataset}, got {self.curve_images}"
            )
        return self

    def halved(self) -> Self:
        """Return it with half the batch and, as that needs, half the learning rate.

        Source: Goyal et al., Accurate, Large Minibatch SGD, arXiv:1706.02677, sec. 2.1.
        """
        half = {"batch_size": self.batch_size // 2, "learning_rate": self.learning_rate / 2}
        return type(self).model_validate({**self.model_dump(), **half})

    def digest(self) -> str:
        """Return 16 hexadecimal digits of all of it.

        What came later counts only where it is used: older studies keep their digest.
        """
        values = self.model_dump(mode="json")
        used = {k: v for k, v in values.items() if k not in LATER or v != LATER[k]}
        text = json.dumps(used, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class StudyConfig(BaseModel):
    """A study: its space, its protocol, its objective and how it proposes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: BackboneName
    kinds: tuple[str, ...] = tuple(MECHANISMS)
    cost: CostName = "macs"
    sampler: SamplerName = "known-cost"
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    max_macs: int | None = Field(default=None, ge=1)  # of a proposal; None: any
    max_params: int | None = Field(default=None, ge=1)
    baselines: bool = True
    references: bool = True
    early_stop: bool = False  # until a replay on the grid accepts it: docs/search-quality.md
    audit: float = Field(default=0.1, ge=0, le=1)  # share of stops that train to their end
    replicates: float = Field(default=0.3, ge=0, le=0.9)  # share of the sampler's trainings
    protocol: Protocol

    @property
    def search_space(self) -> SearchSpace:
        """Return the space that is proposed from."""
        return _search_space(self.backbone, self.kinds)

    @property
    def limits(self) -> dict[str, int]:
        """Return the budgets that are set, by the cost they limit."""
        return limits_of({"max_macs": self.max_macs, "max_params": self.max_params})

    def settings(self) -> dict[str, object]:
        """Return all of it flat, with two digests: what a resumed run must share."""
        own = self.model_dump(mode="json", exclude={"protocol"})
        trained = self.protocol.model_dump(mode="json")
        digests = {
            "protocol_digest": self.protocol.digest(),
            "space_digest": self.search_space.digest(),
        }
        return {**own, **trained, **digests}


@cache
def _search_space(backbone: str, kinds: tuple[str, ...]) -> SearchSpace:
    """Return the same object each time: it works out its choices once."""
    return SearchSpace(backbone=backbone, kinds=kinds)


def config_of(values: dict[str, object]) -> StudyConfig:
    """Return the config of flat values such as `settings` gives.

    Raises:
        Refusal: a value breaks its rule; names the option.
    """
    protocol = {name: values[name] for name in Protocol.model_fields if name in values}
    own = {name: values[name] for name in StudyConfig.model_fields if name in values}
    try:
        return StudyConfig.model_validate({**own, "protocol": protocol})
    except ValidationError as error:
        raise Refusal(_as_option(first_problem(error))) from error
    except UnicodeEncodeError as error:  # pydantic's own, of bytes in a shell that are no text
        name = next(name for name, value in values.items() if "\\ud" in repr(value))
        shown = reprlib.repr(values[name])
        raise Refusal(_as_option(f"{name}: must be Unicode text, got {shown}")) from error


def _as_option(problem: str) -> str:
    name, _, rest = problem.removeprefix("protocol").removeprefix(".").partition(": ")
    return f"--{name.replace('_', '-')}: {rest}" if name else f"--{rest}"
