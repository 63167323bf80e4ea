"""How a training begins where not all of the network is new: options of `search train` only.

None of it is part of a protocol: estimates pool trainings that begin alike.
"""

from dataclasses import dataclass
from pathlib import Path

from space import Architecture, Refusal


@dataclass(frozen=True, slots=True)
class Tips:
    """Which weights to begin with, and for how many epochs attention is treated apart.

    None is without that tip. While the backbone is frozen only attention and the classifier
    learn; during the warm-up attention counts more from step to step.
    """

    init_from: Path | None = None
    freeze_backbone: int | None = None
    attention_warmup: int | None = None

    def refuse_unfit(self, architecture: Architecture, num_epochs: int) -> None:
        """Check them against the network and the length of the training.

        Raises:
            Refusal: too few epochs, no attention to treat apart, or no weights worth freezing.
        """
        _refuse_epochs("--freeze-backbone", self.freeze_backbone, architecture, num_epochs)
        _refuse_epochs("--attention-warmup", self.attention_warmup, architecture, num_epochs)
        if self.freeze_backbone is not None and self.init_from is None:
            raise Refusal(
                "--freeze-backbone needs trained weights to freeze, got none; name them with "
                "--init-from"
            )


NO_TIPS = Tips()


def _refuse_epochs(
    option: str, epochs: int | None, architecture: Architecture, num_epochs: int
) -> None:
    if epochs is None:
        return
    if not 1 <= epochs < num_epochs:
        raise Refusal(
            f"{option} must be at least 1 and less than --epochs, which is {num_epochs}, "
            f"got {epochs}"
        )
    if architecture.is_plain:
        raise Refusal(f"{option} needs a network with attention, got a plain one; leave it out")
