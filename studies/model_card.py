"""A model card: what an exported network is, where it comes from, what is known of it, its limits.

Source: Mitchell et al., Model Cards for Model Reporting, arXiv:1810.03993, sec. 4: details, use,
metrics, training data, caveats, each as far as a study knows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from space import count_in_words, placements_in_words, share_in_words

from .confirmation.comparison import Interval
from .confirmation.stored import Confirmed
from .export import only_in_file, train_command
from .front import Front, Point
from .store.sessions import versions
from .store.storage import OpenStudy
from .verdicts import verdict

NORMAL = 1.96  # standard errors on either side of a 95 % interval
PROTOCOL = (
    *("dataset", "data_seed", "train_images", "epochs", "batch_size", "learning_rate"),
    *("weight_decay", "momentum", "label_smoothing", "warmup", "crop_padding", "precision"),
    *("averaging", "recipe", "protocol_digest"),
)
BEGUN = "A confirmation was begun and is not finished: nothing of it is told before its end."
# What the images are in words; the sample's numbers are no results.
IMAGES = {"cifar10": "CIFAR-10", "cifar10-sample": "a few sample images of CIFAR-10"}
SAMPLE = "cifar10-sample"
NO_RESULT = "Installation check on a few sample images: not a result."
USE = """```python
{imports}from model import build

model = build()
{load}model.eval()
```"""
IMPORTS = "from safetensors.torch import load_file\n\n"
LOAD = 'model.load_state_dict(load_file("weights.safetensors"))\n'


@dataclass(frozen=True, slots=True)
class Card:
    """What a card is written from: a point of a study, what lies beside it, what confirmed it."""

    point: Point
    front: Front
    study: OpenStudy
    files: Mapping[str, str]  # name, and what it is
    confirmed: Sequence[Confirmed] = ()  # finished
    is_begun: bool = False  # another confirmation is not finished


def model_card(card: Card) -> str:
    """Return the card as Markdown."""
    architecture = card.point.architecture
    name = f"{placements_in_words(architecture)} on {architecture.backbone}"
    sections = {
        "What it is": _what(card),
        "Files": [f"* `{name}`: {what}" for name, what in card.files.items()],
        "What the study found": _found(card),
        "What fresh seeds and test images say": _confirmed(card),
        "Where it comes from": _origin(card),
        "Limits": _limits(card),
        "Train it again": _again(card),
        "Use it": _use(card),
    }
    parts = [f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items()]
    warning = f"**{NO_RESULT}**\n\n" if card.study.settings["dataset"] == SAMPLE else ""
    return f"# {name}\n\n{warning}" + "\n\n".join(parts) + "\n"


def _what(card: Card) -> list[str]:
    point, front = card.point, card.front
    architecture = point.architecture
    return [
        f"A {architecture.backbone} for images of 32 x 32 in {architecture.num_classes} classes, "
        + ("without attention." if architecture.is_plain else "with attention in it."),
        "",
        "| | this network | over plain |",
        "|---|---|---|",
        *(
            f"| {label} | {count_in_words(point.cost[name])} ({point.cost[name]:,}) | "
            f"{share_in_words(point.cost[name], front.plain_cost[name])} |"
            for name, label in (("macs", "MACs"), ("params", "params"))
        ),
        "",
        "MACs are multiply-accumulates of convolutions, linear layers and attention products for "
        "one image; they are not time.",
    ]


def _found(card: Card) -> list[str]:
    """Return the estimates with their intervals, and the study's verdict."""
    known, front = card.point.estimate, card.front
    rows = [("validation accuracy, %", _interval(known.accuracy, known.standard_error, ""))]
    if not card.point.architecture.is_plain:
        rows.append(("gain over plain, points", _interval(known.gain, known.gain_error, "+")))
    if front.plain is not None:
        base = front.plain.estimate
        rows.append(("plain network, %", _interval(base.accuracy, base.standard_error, "")))
    rows.append(("raw mean of its trainings, %", f"{100 * known.raw_mean:.2f}"))
    plain = "" if front.plain is None else f", of plain {front.plain.estimate.num_evaluations}"
    noise = "unknown: nothing was trained twice"
    if front.noise is not None:
        freedom = front.noise.degrees_of_freedom
        noise = f"{100 * front.noise.sd:.2f} points ({freedom} degrees of freedom)"
    return [
        "| | estimate ± standard error (95 % interval) |",
        "|---|---|",
        *(f"| {label} | {value} |" for label, value in rows),
        "",
        f"Trainings of this network: {known.num_evaluations}{plain}, of the study "
        f"{front.num_trainings}. Run-to-run sd: {noise}.",
        "",
        "Estimates are drawn towards what alike networks reached, as far as the noise makes them.",
        "",
        f"Verdict of the study: {verdict(front)}.",
    ]


def _interval(value: float, error: float, sign: str) -> str:
    """Return a share as points of a hundred: `47.67 ± 0.98 (45.75 to 49.59)`."""
    form = f"{{:{sign}.2f}}"
    if isnan(value):
        return "unknown"
    if isnan(error):
        return f"{form.format(100 * value)} ± unknown"
    low, high = (form.format(100 * (value + end * error)) for end in (-NORMAL, NORMAL))
    return f"{form.format(100 * value)} ± {100 * error:.2f} ({low} to {high})"


def _confirmed(card: Card) -> list[str]:
    """Return what each finished confirmation found of this network, or that there is none."""
    begun = ["", BEGUN] if card.is_begun else []
    lines = [
        f"* test accuracy {100 * arm.mean:.2f} % (n = {len(arm.accuracies)}) after "
        f"{one.confirmation.epochs} epochs of {one.confirmation.num_images:,} images"
        f"{_gain(arm.gain)}"
        for one in card.confirmed
        for arm in one.arms
        if arm.arm.digest == card.point.digest and arm.accuracies
    ]
    if lines:
        return [
            *lines,
            "",
            "Another protocol than the study's: compare gains, never levels.",
            *begun,
        ]
    if card.is_begun:
        return [f"Not confirmed: {BEGUN[0].lower()}{BEGUN[1:]}"]
    return ["Not confirmed: no test image was read for this network; `search confirm` does that."]


def _gain(found: Interval | None) -> str:
    if found is None:
        return ""
    value, low, high = (f"{100 * one:+.2f}" for one in (found.value, found.low, found.high))
    return f"; gain over plain {value} points (95 %, for all compared: {low} to {high})"


def _origin(card: Card) -> list[str]:
    settings = card.study.settings
    trials = ", ".join(map(str, card.point.trials))
    used = (f"{name} {settings[name]}" for name in PROTOCOL if settings.get(name) is not None)
    return [
        f"* study `{card.study.name}`, trials {trials}, digest `{card.point.digest}`; cost "
        f"{card.front.cost_name}, sampler {settings.get('sampler')}, seed {settings.get('seed')}",
        f"* protocol: {', '.join(used)}",
        f"* written with {', '.join(f'{name} {one}' for name, one in versions().items())}",
    ]


def _limits(card: Card) -> list[str]:
    settings, point = card.study.settings, card.point
    epochs = int(str(settings["epochs"]))
    lines = [
        f"* Its numbers are of {epochs} epoch{'s' if epochs > 1 else ''} of "
        f"{int(str(settings['train_images'])):,} images: a short protocol, in which gains may "
        "differ from those of a full training.",
        "* They are of validation images that took part in choosing it.",
        f"* It was chosen on {_images(card)}; nothing is known of other images, sizes or classes.",
        "* Parameters and MACs are exact; latency and memory were not measured for this card.",
    ]
    if point.estimate.num_evaluations == 1:
        lines.append("* It was trained once: its own training says little beside the noise.")
    better = point.estimate.probability_better
    if not point.architecture.is_plain and not isnan(better):
        lines.append(f"* The study finds it better than plain with a probability of {better:.3f}.")
    return lines


def _images(card: Card) -> str:
    dataset = str(card.study.settings["dataset"])
    return IMAGES.get(dataset, dataset)


def _again(card: Card) -> list[str]:
    command = train_command(card.study, "architecture.yaml")
    lines = [f"{command} --seed 0 --save weights.safetensors"]
    others = [f"\n{line[0].upper()}{line[1:]}." for line in only_in_file(card.study)]
    return ["```", *lines, "```", *others]


def _use(card: Card) -> list[str]:
    has_weights = "weights.safetensors" in card.files
    return [USE.format(imports=IMPORTS * has_weights, load=LOAD * has_weights)]
