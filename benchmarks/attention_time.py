"""How much longer a training step takes with each attention mechanism than without.

    python -m benchmarks.attention_time [--backbone resnet20] [--rounds 15] [--device cuda]

Each mechanism is at its published setting in its usual place. A step is forward, cross-entropy,
backward and SGD, on synthetic images, in one thread (fp32; bf16 autocast on a GPU). In each round
every network, the plain one too, takes one step in a random order; the ratio is of one round.
Shapes: B images, C colours, H x W pixels, K classes.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import geometric_mean

import numpy as np
import torch
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from backbones import build
from search.training.loop import autocast
from space import (
    BACKBONES,
    IMAGE_SIDE,
    MECHANISMS,
    NUM_CLASSES,
    Architecture,
    SearchSpace,
    baselines,
    cost,
    placements_in_words,
    plain,
    share_in_words,
)

from .figures import Median, median_of, parser_of, positive, publish
from .timing import device_of, interleaved, precision_on, ratio

PLAIN = "plain"
Seconds = dict[str, list[float]]  # of a step by kind, one for each round


@dataclass(frozen=True, slots=True)
class Row:
    """A network's training step and its cost, also as ratios to the plain network's."""

    kind: str
    placement: str
    seconds: Median
    seconds_ratio: Median
    macs_ratio: float
    params_ratio: float


def step_of(architecture: Architecture, x_BCHW: Tensor, labels_B: Tensor) -> Callable[[], None]:
    """Return one training step of a fresh network on these images."""
    device = x_BCHW.device
    model = build(architecture).to(device).to(memory_format=torch.channels_last).train()
    parameters = model.parameters()
    optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, nesterov=True, foreach=True)

    def step() -> None:
        with autocast(device, precision_on(device)):
            logits_BK = model(x_BCHW)
        functional.cross_entropy(logits_BK.float(), labels_B).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def seconds_of(networks: dict[str, Architecture], options: Namespace) -> Seconds:
    """Return the seconds of each network's step, one for each round."""
    torch.manual_seed(0)
    x_BCHW = torch.randn(options.batch, 3, IMAGE_SIDE, IMAGE_SIDE)
    x_BCHW = x_BCHW.to(options.device).to(memory_format=torch.channels_last)
    labels_B = torch.randint(NUM_CLASSES, (options.batch,)).to(options.device)
    steps = {kind: step_of(one, x_BCHW, labels_B) for kind, one in networks.items()}
    return interleaved(steps, options.rounds, options.device)


def rows_of(networks: dict[str, Architecture], seconds: Seconds) -> list[Row]:
    """Return one row for each network, the quickest first."""
    base = cost(networks[PLAIN])
    rows = [
        Row(
            kind,
            placements_in_words(one),
            median_of(seconds[kind]),
            ratio(seconds[kind], seconds[PLAIN]),
            cost(one).macs / base.macs,
            cost(one).params / base.params,
        )
        for kind, one in networks.items()
    ]
    return sorted(rows, key=lambda row: row.seconds_ratio.median)


def gates_of(seconds: Seconds) -> list[str]:
    """Return the gate-like mechanisms: those whose usual place is the residual branch."""
    kinds = [kind for kind in seconds if kind != PLAIN]
    return [kind for kind in kinds if MECHANISMS[kind].usual_position == "residual"]


def gates_speed_ratio(seconds: Seconds) -> Median:
    """Return the geometric mean, over gate-like mechanisms, of their images/s over plain's.

    It is worked out in each round, then the median of the rounds is taken.
    """
    speeds = [np.divide(seconds[PLAIN], seconds[kind]) for kind in gates_of(seconds)]
    return median_of([geometric_mean(of_round) for of_round in zip(*speeds, strict=True)])


def table_of(rows: list[Row], title: str) -> Table:
    """Return the rows for the screen."""
    table = Table("mechanism", "time of a step", "seconds", "MACs", "params", title=title)
    for row in rows:
        shares = (share_in_words(row.macs_ratio, 1), share_in_words(row.params_ratio, 1))
        seconds = f"{row.seconds.median:.3f}"
        table.add_row(row.kind, row.seconds_ratio.in_words(2), seconds, *shares)
    return table


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--backbone", choices=BACKBONES, default="resnet20", metavar="NAME")
    parser.add_argument("--rounds", type=positive, default=15)
    parser.add_argument("--batch", type=positive, default=128)
    parser.add_argument("--device", type=device_of, default="cpu", help="cpu or cuda")
    return parser.parse_args()


def main() -> None:
    """Print one row for each mechanism."""
    torch.set_num_threads(1)
    options = parsed()
    searched = SearchSpace(backbone=options.backbone)
    networks = {PLAIN: plain(options.backbone), **baselines(searched)}
    seconds = seconds_of(networks, options)
    rows, speed = rows_of(networks, seconds), gates_speed_ratio(seconds)
    precision = precision_on(options.device)
    title = (
        f"{options.backbone}, batch {options.batch}, {precision} on {options.device}: "
        f"median ratio to plain (95 % interval), n = {options.rounds} rounds"
    )
    found = {
        "backbone": options.backbone,
        "batch": options.batch,
        "device": options.device.type,
        "precision": precision,
        "num_rounds": options.rounds,
        "rows": [asdict(row) for row in rows],
        "gates": gates_of(seconds),
        "gates_speed_ratio": asdict(speed),
    }
    line = f"images/s of gate-like mechanisms over plain, geometric mean: {speed.in_words(3)}"
    publish(table_of(rows, title), found, options.out, [line])


if __name__ == "__main__":
    main()
