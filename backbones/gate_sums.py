"""Running sums of what an attention module computes: images come and go, the sums stay.

Source: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample
Variances, 1979: means and squared deviations of two samples merge into those of both.
Shapes: B images, C channels, H x W positions, E what one image's gate consists of, in its own
dimensions, R equal ranges of a histogram.
"""

import math

import torch
from torch import Tensor

from space import Refusal

from .attention import AttentionModule, Gate
from .module_statistics import GateStatistics, ModuleStatistics

NUM_RANGES = 20  # each holds 5 % of what lies between the limits
UNBOUNDED = (0.0, 2.0)  # what a histogram shows of a gate without limits: 1 is in its middle
# In float64 2 MB, which stay in a core's cache: 2 instead of 5 ns a value, on one core.
VALUES_AT_ONCE = 2**18


class GateSums:
    """What is known of one gate after the images so far, in float64."""

    def __init__(self, gate: Gate) -> None:
        values_BE = _images_first(gate)
        self.form = gate.form
        self.limits = gate.limits
        self.num_keys = _num_keys(gate)
        self.num_images = 0
        self.mean_E = torch.zeros_like(values_BE[0], dtype=torch.float64)
        self.squares_E = torch.zeros_like(self.mean_E)
        self.counts_R = torch.zeros(NUM_RANGES, dtype=torch.int64, device=values_BE.device)
        self.entropy = 0.0
        self.own = 0.0
        self.num_own = 0

    def add(self, gate: Gate) -> None:
        """Take in the gate of further images."""
        values_BE = _images_first(gate)
        if values_BE.shape[1:] != self.mean_E.shape:
            sizes = " and ".join(
                "x".join(map(str, one)) for one in (self.mean_E.shape, values_BE.shape[1:])
            )
            raise Refusal(
                f"every image must have a gate of the same size, got {sizes}; "
                f"ask for the statistics of each size of image alone"
            )
        for part_BE in values_BE.split(max(1, VALUES_AT_ONCE // self.mean_E.numel())):
            self._add(part_BE.double())
        if gate.own is not None:
            self.own += float(gate.own.sum(dtype=torch.float64))
            self.num_own += gate.own.numel()

    def _add(self, values_BE: Tensor) -> None:
        mean_E = values_BE.mean(dim=0)
        squares_E = (values_BE - mean_E).square_().sum(dim=0)
        before, added = self.num_images, len(values_BE)
        self.num_images += added
        shift_E = mean_E - self.mean_E
        self.mean_E += shift_E * (added / self.num_images)
        self.squares_E += squares_E + shift_E.square() * (before * added / self.num_images)
        if self.form != "scalar":
            self.counts_R += _counts(values_BE, self.limits or UNBOUNDED)
        if self.num_keys:
            self.entropy += float(torch.special.entr(values_BE).sum())

    def statistics(self) -> GateStatistics:
        """Return the facts; where a value was not finite, each is NaN."""
        mean = float(self.mean_E.mean())
        mark = 0.0 * mean  # 0, or NaN after a value that is not finite
        if self.form == "scalar":
            return GateStatistics(self.form, mean + mark)
        shares_R = self.counts_R.double() / self.counts_R.sum()
        histogram = tuple(share + mark for share in shares_R.tolist())
        is_bounded = self.limits is not None and self.form != "rows"
        spread = float((self.squares_E / self.num_images).sqrt().mean())
        return GateStatistics(
            form=self.form,
            mean=mean + mark,
            spread=spread + mark if self.num_images > 1 else None,
            saturation=histogram[0] + histogram[-1] if is_bounded else None,
            entropy=self._relative_entropy() + mark if self.num_keys > 1 else None,
            diagonal=self.own / self.num_own + mark if self.num_own else None,
            histogram=histogram,
        )

    def _relative_entropy(self) -> float:
        num_rows = self.num_images * self.mean_E[..., 0].numel()
        return self.entropy / num_rows / math.log(self.num_keys)


class ModuleSums:
    """What is known of one attention module after the images so far."""

    def __init__(self) -> None:
        self.gates: dict[str, GateSums] = {}
        self.entering = 0.0
        self.changed = 0.0

    def add(self, module: AttentionModule, x_BCHW: Tensor, y_BCHW: Tensor) -> None:
        """Take in a further batch: what entered the module and what left it."""
        for name, gate in module.gates(x_BCHW).items():
            if name not in self.gates:
                self.gates[name] = GateSums(gate)
            self.gates[name].add(gate)
        self.entering += _squares(x_BCHW)
        self.changed += _squares(y_BCHW - x_BCHW)

    def statistics(self) -> ModuleStatistics:
        """Return the facts."""
        gates = {name: gate.statistics() for name, gate in self.gates.items()}
        return ModuleStatistics(self._gain(), gates)

    def _gain(self) -> float:
        if not math.isfinite(self.changed):
            return math.nan
        if not self.entering:
            return math.inf if self.changed else 0.0
        return math.sqrt(self.changed / self.entering)


def _images_first(gate: Gate) -> Tensor:
    """Return the values; a scalar counts as the gate of one image."""
    return gate.values[None] if gate.form == "scalar" else gate.values


def _num_keys(gate: Gate) -> int:
    """Return how many keys a softmax row is shared among; 0 where there is no such row.

    Rows that are not square but know what is a query's own are those of criss-cross: it stands in
    its column and in its row, and counts once.
    """
    if gate.form != "rows" or gate.limits is None:
        return 0
    num_queries, num_keys = gate.values.shape[-2:]
    stands_twice = gate.own is not None and num_queries != num_keys
    return num_keys - 1 if stands_twice else num_keys


def _counts(values_BE: Tensor, limits: tuple[float, float]) -> Tensor:
    """Return how many values each range holds; its lower end belongs to it, the ends are open."""
    low, high = limits
    places_BE = (values_BE - low) * (NUM_RANGES / (high - low))
    # Counting bytes takes a quarter of the time of torch.histc, on one core.
    ranges_BE = places_BE.nan_to_num_(0.0).clamp_(0, NUM_RANGES - 1).to(torch.uint8)
    return torch.bincount(ranges_BE.flatten(), minlength=NUM_RANGES)


def _squares(x_BCHW: Tensor) -> float:
    norm = float(torch.linalg.vector_norm(x_BCHW, dtype=torch.float64))
    return norm * norm
