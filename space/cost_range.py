"""The range of costs of a searched space, without drawing from it."""

from .architecture import plain
from .cost import Cost, cost
from .sampling import SearchSpace


def cost_range(search_space: SearchSpace) -> tuple[Cost, Cost]:
    """Return the cost of the plain network and the largest cost that can be proposed.

    The stages' costs add up, so the dearest placement of each stage makes the dearest network.
    """
    least = cost(plain(search_space.backbone, search_space.num_classes))
    macs, params = least.macs, least.params
    for index, stage in enumerate(search_space.stages):
        alone = [
            cost(
                search_space.architecture(
                    tuple(one if i == index else None for i in range(len(search_space.stages)))
                )
            )
            for one in stage.placements
        ]
        macs += max(one.macs for one in alone) - least.macs
        params += max(one.params for one in alone) - least.params
    return least, Cost(macs, params)
