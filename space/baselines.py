"""What every study tries before its sampler: each mechanism as its authors use it."""

from .architecture import Architecture
from .attention import MECHANISMS
from .attention.mechanism import QUADRATIC_POSITIONS
from .placement import Placement
from .sampling import SearchSpace
from .stage_space import Setting, StageSpace, num_changes


def baselines(search_space: SearchSpace) -> dict[str, Architecture]:
    """Return each mechanism at its published setting in its usual place, by kind.

    Gates stand in the residual branch of every block; the others behind the stages with at most
    256 positions. Where the space does not propose the published value (a 7x7 kernel on a 4x4
    map), the nearest proposed one stands in; a stage that proposes none is left out.
    """
    found = {}
    for kind in search_space.kinds:
        placements = tuple(_usual(kind, stage) for stage in search_space.stages)
        if any(placements):
            found[kind] = search_space.architecture(placements)
    return found


def usual_placement(kind: str, stage: StageSpace, fixed: Setting | None = None) -> Placement:
    """Return the mechanism in its usual place, at the proposed setting nearest to the published.

    Values that are `fixed` are taken as they are. The stage must propose such a setting.
    """
    mechanism = MECHANISMS[kind]
    data = {
        "attention": {"kind": kind, **_nearest_setting(kind, stage, fixed or {})},
        "position": mechanism.usual_position,
    }
    return Placement.model_validate(data)


def _usual(kind: str, stage: StageSpace) -> Placement | None:
    at_end = MECHANISMS[kind].usual_position == "stage_end"
    if kind not in stage.kinds or (at_end and stage.shape.positions > QUADRATIC_POSITIONS):
        return None
    return usual_placement(kind, stage)


def _nearest_setting(kind: str, stage: StageSpace, fixed: Setting) -> Setting:
    """Return the proposed setting that agrees with the published one in most values."""
    published = MECHANISMS[kind].model_validate({})

    def distance(setting: Setting) -> tuple[int, float]:
        pairs = [(value, getattr(published, name)) for name, value in setting.items()]
        numbers = [(v, p) for v, p in pairs if not isinstance(v, str) and not isinstance(p, str)]
        return num_changes(setting, published), sum(abs(v - p) for v, p in numbers)

    fitting = [one for one in stage.settings[kind] if fixed.items() <= one.items()]
    return min(fitting, key=distance)
