"""What this machine has, and in which precision it is fast."""

import platform
from dataclasses import dataclass
from pathlib import Path

from search.config import Precision
from space import Refusal

CPU_INFO = Path("/proc/cpuinfo")
FAST_BF16 = ("amx_bf16", "avx512_bf16")


@dataclass(frozen=True, slots=True)
class Device:
    """The device of a study: `cpu` or `cuda`, how many of it, and the precision to train in."""

    name: str
    count: int
    precision: Precision


def resolve_device(wanted: str) -> Device:
    """Return the device for `auto`, `cpu` or `cuda`.

    Raises:
        Refusal: CUDA is wanted and there is none, or no such device.
    """
    if wanted not in ("auto", "cpu", "cuda"):
        raise Refusal(f"--device must be auto, cpu or cuda, got {wanted}")
    num_gpus = 0 if wanted == "cpu" else _num_gpus()
    if num_gpus:
        return Device("cuda", num_gpus, _gpu_precision())
    if wanted == "cuda":
        raise Refusal("--device cuda needs a GPU that torch can use; use --device cpu or auto")
    return Device("cpu", 1, "bfloat16" if _cpu_has_fast_bf16() else "float32")


def _num_gpus() -> int:
    import torch  # 3 s: only when a GPU may be wanted

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _gpu_precision() -> Precision:
    """Return bf16 where the GPU has it: before Ampere it is emulated."""
    import torch

    return "bfloat16" if torch.cuda.get_device_capability() >= (8, 0) else "float32"


def _cpu_has_fast_bf16() -> bool:
    """Say whether bf16 convolutions have hardware.

    Without it they are emulated: ResNet-20 at batch 128 fell from 194 to 16 images/s on one
    thread of a Zen 3 core (torch 2.15).
    """
    if not CPU_INFO.exists():
        return False
    flags = set(CPU_INFO.read_text().split())
    return any(name in flags for name in FAST_BF16)


def cpu_name() -> str:
    """Return what the system calls the processor."""
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def hardware_in_words(device: Device) -> str:
    """Return what trains: `2 x NVIDIA H200`, or the processor's name."""
    if device.name == "cpu":
        return cpu_name()
    import torch

    return f"{device.count} x {torch.cuda.get_device_name()}"
