"""What each mechanism would add at each stage of a backbone: a table of facts."""

from dataclasses import dataclass

from .attention import MECHANISMS, Mechanism
from .backbone import backbone
from .cost import Cost, block_cost
from .shape import Shape


@dataclass(frozen=True, slots=True)
class ModuleCost:
    """One module on one stage's map: what it costs, and why it is not proposed there, if so."""

    cost: Cost
    reason_unproposed: str | None


@dataclass(frozen=True, slots=True)
class CostRow:
    """One mechanism at its published setting on the map of each stage; None where it cannot be."""

    kind: str
    what: str
    usual_position: str
    cells: tuple[ModuleCost | None, ...]


def cost_table(name: str) -> tuple[CostRow, ...]:
    """Return a row for each mechanism at its published setting; one cell for each stage."""
    shapes = backbone(name).shapes()
    return tuple(
        CostRow(
            one.kind,
            one.in_words(),
            one.usual_position,
            tuple(_module_cost(one, shape) for shape in shapes),
        )
        for one in (mechanism.model_validate({}) for mechanism in MECHANISMS.values())
    )


def block_costs(name: str) -> tuple[Cost, ...]:
    """Return what the last block of each stage costs without attention, norms included."""
    network = backbone(name)
    return tuple(
        block_cost(network, network.block_shapes(number, stage.num_blocks))
        for number, stage in zip(network.numbers(), network.stages, strict=True)
    )


def _module_cost(mechanism: Mechanism, shape: Shape) -> ModuleCost | None:
    if mechanism.reason_invalid(shape):
        return None
    price = Cost(mechanism.macs(shape), mechanism.params(shape))
    return ModuleCost(price, mechanism.reason_unproposed(shape))
