"""How fast a network trains here and what memory that takes, from some seconds of steps."""

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from search.config import Protocol
from search.executors.jobs import Probed

from .loop import Images, TrainingStoppedError, train
from .state import TrainingState

WARM_UP = 2  # steps that are not timed
MIN_STEPS = 3  # that are


def probed(
    model: nn.Module,
    images: Images,
    protocol: Protocol,
    *,
    seconds: float,
    should_stop: Callable[[], bool] = lambda: False,
) -> Probed:
    """Train for at least so many seconds and steps; validation is left out.

    The host waits for the device at the beginning and the end only: at every step it would make
    the training slower.

    Raises:
        TrainingStoppedError: `should_stop` said so.
    """
    batch = min(protocol.batch_size, len(images.train_labels_N))
    whole = len(images.train_labels_N) // batch * batch  # a smaller last batch would count as one
    few = replace(
        images,
        train_NPPC=images.train_NPPC[:whole],
        train_labels_N=images.train_labels_N[:whole],
        validation_NHWC=images.validation_NHWC[:1],
        validation_labels_N=images.validation_labels_N[:1],
    )
    endless = protocol.model_copy(update={"epochs": 1_000_000, "batch_size": batch})
    watch = _Watch(images.train_NPPC.device, seconds)
    try:
        state = TrainingState(model, endless, 0, images.device)
        for _ in train(state, few, should_stop=lambda: should_stop() or watch.is_over()):
            pass
    except TrainingStoppedError:
        if not watch.elapsed:
            raise
    speed = watch.num_steps * batch / watch.elapsed
    return Probed(speed, *_memory(images.train_NPPC.device))


class _Watch:
    """Counts steps from the end of the warm-up and says when it has seen enough."""

    def __init__(self, device: torch.device, seconds: float) -> None:
        self.device = device
        self.seconds = seconds
        self.num_steps = -WARM_UP - 1
        self.started = 0.0
        self.elapsed = 0.0

    def is_over(self) -> bool:
        """Note the start of one more step; true ends the training before it."""
        self.num_steps += 1
        if self.num_steps == 0:
            self.started = self._now()
        late = time.perf_counter() - self.started >= self.seconds
        if self.num_steps < MIN_STEPS or not late:
            return False
        self.elapsed = self._now() - self.started
        return True

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)  # the host runs ahead
        return time.perf_counter()


def _memory(device: torch.device) -> tuple[int | None, int | None]:
    """Return the bytes that this process holds on a GPU, and those that are free."""
    if device.type != "cuda":
        return None, None
    free, _ = torch.cuda.mem_get_info(device)
    return torch.cuda.memory_reserved(device), free
