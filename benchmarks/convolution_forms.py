"""How much faster a 3x3 convolution is by Winograd's tiles than in torch's direct form.

    python -m benchmarks.convolution_forms [--rounds 15] [--batch 64]

One layer at a time, forward and both gradients, fp32, channels last, in one thread of the CPU.
In each round every form of every layer takes one step in a random order; the ratio is of one
round. The last column says what `search.training` takes at this batch.
Shapes: B images, C channels, H x H positions.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import torch
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from search.training.convolutions import is_worth_winograd
from search.training.winograd import winograd
from space import Shape

from .figures import Median, median_of, parser_of, positive, publish
from .timing import interleaved, ratio

DIRECT, WINOGRAD = "direct", "winograd"
FORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    DIRECT: partial(functional.conv2d, padding=1),
    WINOGRAD: winograd,
}
CPU = torch.device("cpu")
LAYERS = ((16, 32), (32, 16), (64, 8), (64, 32), (128, 16), (256, 8), (512, 4))


@dataclass(frozen=True, slots=True)
class Row:
    """Both forms of a layer; the ratio is direct over winograd, above 1 where that is faster."""

    shape: str
    seconds: dict[str, Median]
    speed_ratio: Median
    output_difference: float  # relative, by the norm of the direct form's output
    is_taken: bool


class Layer:
    """A convolution on fixed numbers that keeps its channels and its map."""

    def __init__(self, shape: Shape, batch: int) -> None:
        torch.manual_seed(0)
        size, channels = (batch, *asdict(shape).values()), shape.channels
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv.to(memory_format=torch.channels_last)
        self.x_BCHH, self.slope_BCHH = (
            torch.randn(size).to(memory_format=torch.channels_last) for _ in range(2)
        )
        self.x_BCHH.requires_grad_()

    def step(self, form: str) -> Tensor:
        """Return the output of one form, after both gradients."""
        y_BCHH = FORMS[form](self.x_BCHH, self.conv.weight)
        torch.autograd.grad(y_BCHH, (self.x_BCHH, self.conv.weight), self.slope_BCHH)
        return y_BCHH.detach()

    def difference(self) -> float:
        """Return how far the outputs of both forms are apart."""
        direct_BCHH, other_BCHH = self.step(DIRECT), self.step(WINOGRAD)
        return float((other_BCHH - direct_BCHH).norm() / direct_BCHH.norm())


def measured(options: Namespace) -> list[Row]:
    """Time every form of every layer; return one row for each layer."""
    shapes = [Shape(channels, side, side) for channels, side in LAYERS]
    layers = {str(shape): Layer(shape, options.batch) for shape in shapes}
    steps = {
        f"{shape} {form}": partial(layer.step, form)
        for shape, layer in layers.items()
        for form in FORMS
    }
    seconds = interleaved(steps, options.rounds, CPU)
    return [
        Row(
            shape,
            {form: median_of(seconds[f"{shape} {form}"]) for form in FORMS},
            ratio(seconds[f"{shape} {DIRECT}"], seconds[f"{shape} {WINOGRAD}"]),
            layer.difference(),
            is_worth_winograd(layer.conv, layer.x_BCHH),
        )
        for shape, layer in layers.items()
    ]


def table_of(rows: list[Row], title: str) -> Table:
    """Return the rows for the screen."""
    table = Table(
        "layer",
        "direct ms",
        "winograd ms",
        "direct / winograd",
        "difference",
        "taken",
        title=title,
    )
    for row in rows:
        times = (row.seconds[form].in_words(1, 1e3) for form in FORMS)
        words = (row.speed_ratio.in_words(2), f"{row.output_difference:.1g}")
        table.add_row(row.shape, *times, *words, WINOGRAD if row.is_taken else DIRECT)
    return table


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=positive, default=15)
    parser.add_argument("--batch", type=positive, default=64)
    return parser.parse_args()


def main() -> None:
    """Print one row for each layer."""
    torch.set_num_threads(1)
    options = parsed()
    rows = measured(options)
    title = (
        f"3x3 convolutions, batch {options.batch}, fp32 on cpu: median (95 % interval), "
        f"n = {options.rounds} rounds"
    )
    found: dict[str, object] = {
        "batch": options.batch,
        "num_rounds": options.rounds,
        "rows": [asdict(row) for row in rows],
    }
    publish(table_of(rows, title), found, options.out)


if __name__ == "__main__":
    main()
