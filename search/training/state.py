"""All that changes while a network trains, so that a training can go on where it was ended."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from search.config import Protocol

from .averaging import Averaged
from .optimizer import optimizer_of

CPU = torch.device("cpu")
MODEL, AVERAGED, OPTIMIZER, DRAWS = "model.", "averaged.", "optimizer.", "draws"


class TrainingState:
    """A network, its optimiser, the mean of its weights and its draws, after so many epochs.

    The first weights are the caller's; the order of images, crops and flips are the seed's.
    """

    def __init__(
        self, model: nn.Module, protocol: Protocol, seed: int, device: torch.device = CPU
    ) -> None:
        self.model = model.to(device).to(memory_format=torch.channels_last)
        self.protocol = protocol
        self.optimizer = optimizer_of(model, protocol)
        self.averaged = Averaged(model, protocol.averaging) if protocol.averaging else None
        self.generator = torch.Generator().manual_seed(seed)
        self.num_epochs = 0  # that are done

    @property
    def judged(self) -> nn.Module:
        """Return the network that is validated: the averaged one, if there is one."""
        return self.model if self.averaged is None else self.averaged.model

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of everything, on the host, by name."""
        found = {MODEL + name: value for name, value in self.model.state_dict().items()}
        if self.averaged is not None:
            own = self.averaged.model.state_dict()
            found |= {AVERAGED + name: value for name, value in own.items()}
        for number, slots in self.optimizer.state_dict()["state"].items():
            named = {name: value for name, value in slots.items() if value is not None}
            found |= {f"{OPTIMIZER}{number}.{name}": value for name, value in named.items()}
        found[DRAWS] = self.generator.get_state()
        return {name: value.detach().cpu().clone().contiguous() for name, value in found.items()}

    def restore(self, tensors: Mapping[str, Tensor], num_epochs: int, num_steps: int) -> None:
        """Take up what `tensors` returned after so many epochs of so many steps each.

        Raises:
            RuntimeError, ValueError, KeyError: they are another training's.
        """
        self.model.load_state_dict(_under(MODEL, tensors))
        if self.averaged is not None:
            self.averaged.restore(_under(AVERAGED, tensors), num_epochs * num_steps)
        self._restore_optimizer(_under(OPTIMIZER, tensors))
        self.generator.set_state(tensors[DRAWS])
        self.num_epochs = num_epochs

    def _restore_optimizer(self, tensors: Mapping[str, Tensor]) -> None:
        """Give the optimiser its numbers in the memory format of the weights they belong to."""
        groups = self.optimizer.param_groups
        weights = [weight for group in groups for weight in group["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            number, _, name = key.partition(".")
            weight = weights[int(number)]
            is_like = value.shape == weight.shape and weight.ndim > 0
            own = torch.empty_like(weight).copy_(value) if is_like else value
            slots.setdefault(int(number), {})[name] = own.detach()
        stored = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": stored})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
