"""A confirmation by hand: plain, one finalist, and a control that failed."""

from space import Architecture, cost, plain
from studies.confirmation.comparison import Arm, Claim, Interval
from studies.confirmation.comparison import Confirmation as Plan
from studies.confirmation.stored import ArmResult, Confirmed
from studies.report import Confirmation

SE = Architecture.model_validate(
    {
        "backbone": "resnet8",
        "stages": [[{"attention": {"kind": "se"}, "position": "residual"}], [], []],
    }
)
CLAIM = Claim(accuracy=0.82, standard_error=0.01, gain=0.02, gain_error=0.01, num_evaluations=2)
ARMS = (
    Arm(role="plain", architecture=plain("resnet8"), seeds=(1, 2)),
    Arm(role="finalist", architecture=SE, seeds=(3, 4), claim=CLAIM),
    Arm(role="deeper", architecture=plain("resnet14"), seeds=(5, 6)),
)
PLAN = Plan(
    epochs=1, num_images=100, protocol_digest="a", own_digest="b", fresh_seeds=(7,), arms=ARMS
)
RESULTS = (
    ArmResult(ARMS[0], cost(ARMS[0].architecture), (0.8, 0.8), None, 0),
    ArmResult(ARMS[1], cost(SE), (0.82, 0.83), Interval(0.025, 0.01, 0.04), 0),
    ArmResult(ARMS[2], cost(ARMS[2].architecture), (), None, 2),
)
CONFIRMATION = Confirmation(
    Confirmed(PLAN, RESULTS, None, 1),
    labels=("plain", "finalist 1", "deeper plain"),
    names=("resnet8", "se r16 in stage 1", "resnet14"),
    time_ratios=None,
    verdict="confirmed: se",
    lines=("test images read once",),
)
