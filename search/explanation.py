"""What a stored study says of its mechanisms, gathered for `search explain`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from space import Refusal, SearchSpace
from studies import Front, OpenStudy, completed, evaluations
from studies.effects.by_stage import Effects, effects_of
from studies.effects.importance import Importance, importances
from studies.effects.map import effect_map
from studies.effects.words import conclusion
from studies.store.gates import stored_gates

from .config import config_of
from .dead_modules import Dead, dead_modules


@dataclass(frozen=True)
class Explanation:
    """Everything that is shown."""

    front: Front
    search_space: SearchSpace
    effects: Effects
    importances: tuple[Importance, ...]
    dead: tuple[Dead, ...]
    conclusion: str


def explanation(front: Front, study: OpenStudy) -> Explanation:
    """Return what the front's study says.

    Raises:
        Refusal: the noise is unknown, so no effect has an error.
    """
    search_space = config_of(dict(study.settings)).search_space
    effects = effects_of(front, search_space)
    if effects is None:
        raise Refusal(
            "effects need the plain network, and a network that was trained twice; go on with "
            "`search run` and more --trials"
        )
    ranked = importances(front, effects, search_space)
    return Explanation(
        front,
        search_space,
        effects,
        ranked,
        dead_modules(completed(evaluations(study)), stored_gates(study)),
        conclusion(front, effects, ranked, protocol_in_words(study.settings)),
    )


def draw(found: Explanation, title: str, out: Path) -> None:
    """Write the map of effects as one HTML file."""
    from studies.effects.figures import effect_figure  # plotly takes a second

    facts = effect_map(found.effects, len(found.search_space.stages), found.front.plain_cost)
    out.parent.mkdir(parents=True, exist_ok=True)
    effect_figure(facts, title).write_html(out, include_plotlyjs=True)


def protocol_in_words(settings: Mapping[str, object]) -> str:
    """Return, say, `6 epochs on 45,000 images of cifar10 with resnet20`."""
    epochs = f"{settings['epochs']} epoch{'' if settings['epochs'] == 1 else 's'}"
    data = f"{int(str(settings['train_images'])):,} images of {settings['dataset']}"
    return f"{epochs} on {data} with {settings['backbone']}"
