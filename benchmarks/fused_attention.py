"""What fused softmax attention saves in a non-local module, against the map written out.

    python -m benchmarks.fused_attention [--rounds 15] [--batch 8] [--device cuda]

One module (embedded Gaussian, reduction 2, every position a key) at 64 channels of 32x32, forward
and backward, in one thread (fp32; bf16 autocast on a GPU): `fused` as it is, `softmax` with the
same weights and the map of all pairs in memory. Memory, measured once, is what a pass adds at
its peak: on a CPU to a fresh process, on a GPU to what torch has allocated.
"""

import resource
import subprocess
import sys
from argparse import SUPPRESS, Namespace
from dataclasses import asdict, dataclass
from functools import partial

import torch
from rich.table import Table

from backbones import measure

from .attention_forms import (
    FORMS,
    FUSED,
    MECHANISM,
    SHAPE,
    SOFTMAX,
    Difference,
    Pass,
    differences,
    opened,
)
from .figures import Median, median_of, parser_of, positive, publish
from .timing import device_of, interleaved, precision_on, ratio

BATCH = {"cpu": 8, "cuda": 128}
KIBIBYTE, MEBIBYTE = 2**10, 2**20  # Linux counts a peak in KiB


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured of both forms, by form; the ratio is fused over softmax."""

    macs: dict[str, int]
    closed_form_macs: int
    peak_bytes: dict[str, int]
    seconds: dict[str, Median]
    seconds_ratio: Median
    differences: list[Difference]


def measured(options: Namespace) -> Found:
    """Return every figure; memory first, while this process is small.

    A new process starts with the peak of the one that made it as its own.
    """
    peaks = {form: peak_bytes(form, options) for form in FORMS}
    macs = {form: measure(opened(form), SHAPE).macs for form in FORMS}
    precision = precision_on(options.device)
    passes = {form: Pass(form, options.batch, options.device) for form in FORMS}
    steps = {form: partial(one, precision) for form, one in passes.items()}
    seconds = interleaved(steps, options.rounds, options.device)
    return Found(
        macs,
        MECHANISM.macs(SHAPE),
        peaks,
        {form: median_of(found) for form, found in seconds.items()},
        ratio(seconds[FUSED], seconds[SOFTMAX]),
        differences(passes),
    )


def peak_bytes(form: str, options: Namespace) -> int:
    """Return the bytes that one pass adds at its peak."""
    if options.device.type == "cuda":
        return grown_on_gpu(form, options)
    arguments = ["--peak-of", form, "--batch", str(options.batch)]
    command = [sys.executable, "-m", "benchmarks.fused_attention", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout)


def grown_on_gpu(form: str, options: Namespace) -> int:
    """Return by how much a pass raises torch's peak, libraries' workspaces left out."""
    one, precision = Pass(form, options.batch, options.device), precision_on(options.device)
    one(precision)
    one.forget()
    torch.cuda.reset_peak_memory_stats(options.device)
    before = torch.cuda.memory_allocated(options.device)
    one(precision)
    return torch.cuda.max_memory_allocated(options.device) - before


def grown_on_cpu(form: str, options: Namespace) -> int:
    """Return by how much a pass raises this process's peak, the first use of libraries left out.

    The mark only rises, so a pass on a small map first takes it to what the process has.
    """
    one, small = (Pass(form, options.batch, options.device, side=side) for side in (32, 4))
    small("float32")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one("float32")
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * KIBIBYTE


def table_of(found: Found, title: str) -> Table:
    """Return time, memory and MACs of both forms for the screen."""
    table = Table("form", "seconds", "time", "peak MiB", "memory", "MACs", title=title)
    for form in FORMS:
        peak, base = found.peak_bytes[form], found.peak_bytes[SOFTMAX]
        table.add_row(
            form,
            found.seconds[form].in_words(3),
            found.seconds_ratio.in_words(2) if form == FUSED else "1",
            f"{peak / MEBIBYTE:.0f}",
            f"{peak / base:.2f}" if base else "-",
            f"{found.macs[form]:,}",
        )
    return table


def lines(found: Found) -> list[str]:
    """Return in words whether the MACs agree, and how far the numbers are apart."""
    counted = {*found.macs.values(), found.closed_form_macs}
    verdict = "equal" if len(counted) == 1 else "NOT EQUAL"
    said = [f"MACs of both forms and the closed form {found.closed_form_macs:,}: {verdict}"]
    for one in found.differences:
        said.append(
            f"largest difference, {one.passes}: output {one.output:.2g} "
            f"(of {one.largest_output:.2g}), input gradient {one.input_gradient:.2g} "
            f"(of {one.largest_input_gradient:.2g})"
        )
    return said


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=positive, default=15)
    parser.add_argument("--batch", type=positive, help="8; on a GPU 128")
    parser.add_argument("--device", type=device_of, default="cpu", help="cpu or cuda")
    parser.add_argument("--peak-of", choices=FORMS, help=SUPPRESS)  # in a process of its own
    options = parser.parse_args()
    options.batch = options.batch or BATCH[options.device.type]
    return options


def main() -> None:
    """Print time, memory, MACs and differences of both forms."""
    torch.set_num_threads(1)
    options = parsed()
    if options.peak_of:
        print(grown_on_cpu(options.peak_of, options))
        return
    found, precision = measured(options), precision_on(options.device)
    title = (
        f"non_local at {SHAPE}, batch {options.batch}, {precision} on {options.device}: median "
        f"(95 % interval), n = {options.rounds} rounds; memory n = 1"
    )
    facts = {
        "shape": str(SHAPE),
        "batch": options.batch,
        "device": options.device.type,
        "precision": precision,
        "num_rounds": options.rounds,
        **asdict(found),
    }
    publish(table_of(found, title), facts, options.out, lines(found))


if __name__ == "__main__":
    main()
