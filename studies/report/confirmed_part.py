"""What fresh seeds and test images say, on the page; or how to ask them."""

from space import share_in_words

from ..confirmation.stored import ArmResult
from ..effects.words import counted
from .confirmed_figure import confirmed_figure
from .facts import ReportFacts
from .parts import Picture, Section, Table
from .words import CONFIRM, Confirmation

HEAD = (
    "network",
    "test, %",
    "gain (95 %), points",
    "claimed (95 %)",
    "n",
    "MACs",
    "params",
    "time over plain",
)


def confirmed_section(facts: ReportFacts) -> Section:
    """Return every confirmation's result, or that there is none."""
    found = facts.confirmations
    if not found:
        lead = (
            "Not confirmed yet: all numbers here are of the study's short protocol and of "
            "validation images that took part in the choice. Fresh seeds, controls and the test "
            "images, read once, decide:",
            *facts.unfinished,
        )
        command = (CONFIRM, facts.words.commands[CONFIRM])
        return Section("confirmed", "Confirmed?", lead, commands=(command,))
    return Section(
        "confirmed",
        "Confirmed results",
        lead=tuple(one.verdict for one in found),
        pictures=tuple(_interval_picture(one) for one in found if _has_gain(one)),
        tables=tuple(_confirmed_table(one) for one in found),
        notes=(*(line for one in found for line in one.lines), *facts.unfinished),
    )


def _has_gain(one: Confirmation) -> bool:
    return any(arm.gain is not None for arm in one.found.arms)


def _interval_picture(one: Confirmation) -> Picture:
    return Picture(
        confirmed_figure(one),
        "Gains over plain on test images with their intervals; the table below holds them.",
        "Gains over plain on the test images; the 95 % intervals hold for all of them together.",
    )


def _confirmed_table(one: Confirmation) -> Table:
    base, plan = one.found.arms[0].cost, one.found.confirmation
    ratios = one.time_ratios or (None,) * len(one.names)
    rows = tuple(
        (
            f"{label}: {name}",
            f"{100 * arm.mean:.2f}" if arm.accuracies else "?",
            _gain(arm),
            _claimed(arm),
            str(len(arm.accuracies)),
            share_in_words(arm.cost.macs, base.macs),
            share_in_words(arm.cost.params, base.params),
            "?" if ratio is None else f"{ratio:.2f}",
        )
        for label, name, arm, ratio in zip(
            one.labels, one.names, one.found.arms, ratios, strict=True
        )
    )
    return Table(HEAD, rows, f"{counted(plan.epochs, 'epoch')} on {plan.num_images:,} images")


def _claimed(arm: ArmResult) -> str:
    claim = arm.arm.claim
    return "" if claim is None or arm.arm.role == "plain" else claim.gain_in_words()


def _gain(arm: ArmResult) -> str:
    if arm.gain is None:
        return ""
    value, low, high = (
        f"{100 * one:+.2f}" for one in (arm.gain.value, arm.gain.low, arm.gain.high)
    )
    return f"{value} ({low} to {high})"
