"""What a study would train on."""

from importlib.metadata import version
from pathlib import Path

from ..training.device import hardware_in_words, resolve_device
from .finding import Finding

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


def device_findings() -> list[Finding]:
    """Return the device that `--device auto` takes, and a GPU that torch cannot use."""
    try:
        device = resolve_device("auto")  # the first import of torch, which can fail to load
    except (ImportError, OSError) as error:
        what = f"torch cannot be loaded: {' '.join(str(error).split())}"
        remedy = "pip install --force-reinstall torch torchvision"
        return [Finding("device", "problem", what, remedy)]
    what = f"{device.name}: {hardware_in_words(device)}, {device.precision}"
    found = [Finding("device", "ok", what)]
    if device.name == "cpu" and NVIDIA_DRIVER.exists():
        what = f"there is an NVIDIA driver, and torch {version('torch')} finds no GPU"
        remedy = "check nvidia-smi and CUDA_VISIBLE_DEVICES, or install a torch built for CUDA"
        found.append(Finding("device", "warning", what, remedy))
    return found
