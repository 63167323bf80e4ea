"""A confirmation on the screen: as a table with its verdict, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from space import Cost, placements_in_words, share_in_words
from studies.confirmation.comparison import Arm, Interval
from studies.confirmation.stored import ArmResult, Confirmed

from ..comparison_table import Column, comparison_table

ROLES = {
    "plain": "plain",
    "finalist": "finalist",
    "uniform": "best other uniform placement",
    "random": "random, as dear",
    "deeper": "deeper plain",
}
COLUMNS = (
    Column("test, %"),
    Column("gain (95 %), points"),
    Column("claimed (95 %)"),
    Column("n"),
    Column("MACs"),
    Column("params", spare=True),
    Column("time"),
)
TIMES = {1: "once", 2: "twice"}


def name_of(arm: Arm) -> str:
    """Return what stands in the network, or which plain one it is."""
    one = arm.architecture
    return one.backbone if one.is_plain else placements_in_words(one)


def confirm_table(found: Confirmed, ratios: Sequence[float], title: str, width: int) -> Table:
    """Return a row for each network: test accuracy, gain, what the study claimed, cost."""
    base = found.arms[0].cost
    rows = [
        (*_cells(one, base), f"{ratio:.2f}") for one, ratio in zip(found.arms, ratios, strict=True)
    ]
    return comparison_table(title, COLUMNS, rows, width)


def closing(found: Confirmed) -> list[str]:
    """Return the lines below the table: what the intervals are, optimism, readings, verdict."""
    plan, number = found.confirmation, sum(one.gain is not None for one in found.arms)
    lines = [
        f"{plan.epochs} epochs on {plan.num_images} images, validation among them; another "
        "protocol than the study's: compare gains, never levels",
        f"intervals: Dunnett's for {number} comparison{'' if number == 1 else 's'} with plain, "
        "95 % together; of seeds, on one set of test images; time is of a forward pass over "
        "plain's",
    ]
    lines += _failed_lines(found)
    if found.optimism is not None:
        lines.append(_optimism_line(found))
    count = found.num_readings
    lines.append(f"test images read {TIMES.get(count, f'{count} times')} for each model")
    if count and found.look > 1:
        lines.append(f"look {found.look} at these models; the intervals hold for one look")
    return [*lines, f"verdict: {verdict(found)}"]


def _failed_lines(found: Confirmed) -> list[str]:
    """Say of each network how many of its trainings failed, and what that leaves of it."""
    lines = []
    for one in found.arms:
        name, total = name_of(one.arm), len(one.arm.seeds)
        if one.num_failed:
            left_out = "; left out, with fewer than 2 that ended" if one.is_left_out else ""
            lines.append(f"{name}: {one.num_failed} of {total} trainings failed{left_out}")
        if one.num_fresh_failed:
            total = len(found.confirmation.fresh_seeds)
            lines.append(f"{name}: {one.num_fresh_failed} of {total} fresh trainings failed")
    return lines


def verdict(found: Confirmed) -> str:
    """Return what the test images say of the finalists, in one sentence."""
    finalists = [one for one in found.arms if one.arm.role == "finalist" and one.gain is not None]
    if not finalists:
        return "nothing can be said: fewer than two seeds of each network were trained"
    held = [one for one in finalists if one.gain is not None and one.gain.low > 0]
    if not held:
        width = max(_width(one.gain) for one in finalists)
        return (
            f"not confirmed: no finalist's gain over plain is above zero for sure "
            f"(± {100 * width:.1f} points)"
        )
    best = max(held, key=lambda one: one.gain.value if one.gain else 0.0)
    what = f"{name_of(best.arm)}, {_points(best.gain)} points over plain"
    return f"confirmed: {what}{_deeper(found, best)}"


def confirm_json(found: Confirmed, ratios: Sequence[float]) -> str:
    """Return all of it as JSON; accuracies and gains from 0 to 1."""
    data = {
        "epochs": found.confirmation.epochs,
        "num_images": found.confirmation.num_images,
        "arms": [
            {
                "role": one.arm.role,
                "placements": name_of(one.arm),
                "digest": one.arm.digest,
                "seeds": one.arm.seeds,
                "accuracies": one.accuracies,
                "gain": one.gain and asdict(one.gain),
                "claim": one.arm.claim and one.arm.claim.model_dump(),
                "macs": one.cost.macs,
                "params": one.cost.params,
                "latency_ratio": ratio,
                "num_failed": one.num_failed,
                "num_fresh_failed": one.num_fresh_failed,
                "is_left_out": one.is_left_out,
                "architecture": one.arm.architecture.model_dump(mode="json"),
            }
            for one, ratio in zip(found.arms, ratios, strict=True)
        ],
        "optimism": found.optimism and asdict(found.optimism),
        "num_readings": found.num_readings,
        "look": found.look,
        "verdict": verdict(found),
    }
    return json.dumps(data, indent=2)


def _cells(one: ArmResult, base: Cost) -> tuple[str, ...]:
    claim = one.arm.claim
    claimed = "" if claim is None or one.arm.role == "plain" else claim.gain_in_words()
    accuracy = f"{100 * one.mean:.2f}" if one.accuracies else "?"
    role = ROLES[one.arm.role]
    return (
        role if one.arm.role == "plain" else f"{role}: {name_of(one.arm)}",
        accuracy,
        "" if one.gain is None else _points(one.gain),
        claimed,
        str(len(one.accuracies)),
        share_in_words(one.cost.macs, base.macs),
        share_in_words(one.cost.params, base.params),
    )


def _optimism_line(found: Confirmed) -> str:
    known = found.optimism
    assert known is not None, "asked only where there is one"
    number = known.num_finalists
    wanted = len(found.confirmation.fresh_seeds) * len(found.confirmation.finalists)
    runs = f"{known.num_runs} fresh runs" if known.num_runs > 1 else "1 fresh run"
    runs += f" (of {wanted} asked for)" if known.num_runs < wanted else ""
    return (
        f"optimism: the study claimed {_points(known.mean)} points more than "
        f"{runs} of its own protocol show; "
        f"{known.num_inside} of {number} finalist{'' if number == 1 else 's'} within the claimed "
        "95 % interval and the fresh runs' own error"
    )


def _deeper(found: Confirmed, best: ArmResult) -> str:
    """Return how the next deeper plain network compares, if it was trained."""
    deeper = next((one for one in found.arms if one.arm.role == "deeper"), None)
    if deeper is None or deeper.gain is None:
        return ""
    share = share_in_words(deeper.cost.macs, found.arms[0].cost.macs)
    own = share_in_words(best.cost.macs, found.arms[0].cost.macs)
    return f", for {own} MACs; {name_of(deeper.arm)} shows {_points(deeper.gain)} for {share}"


def _points(gain: Interval | None) -> str:
    assert gain is not None, "asked only where there is one"
    return f"{100 * gain.value:+.2f} ({100 * gain.low:+.2f} to {100 * gain.high:+.2f})"


def _width(gain: Interval | None) -> float:
    return 0.0 if gain is None else (gain.high - gain.low) / 2
