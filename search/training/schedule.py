"""The learning rate as a pure function of progress.

Source: Smith and Topin, Super-Convergence, arXiv:1708.07120, sec. 3.
"""

from search.config import Protocol


def rate(protocol: Protocol, progress: float) -> float:
    """Return the rate at a progress from 0 to 1: one cycle, or always the same."""
    if protocol.recipe == "tutorial":
        return protocol.learning_rate
    return one_cycle(progress, protocol.learning_rate, protocol.warmup)


def one_cycle(progress: float, peak: float, warmup: float) -> float:
    """Return the rate at a progress from 0 to 1: up to the peak at `warmup`, down to 0 at 1."""
    if progress < warmup:
        return peak * progress / warmup
    return peak * (1 - progress) / (1 - warmup)
