"""The range of costs of a searched space, without drawing from it."""

from .cost import Cost, plain_cost
from .sampling import SearchSpace


def cost_range(search_space: SearchSpace) -> tuple[Cost, Cost]:
    """Return the cost of the plain network and the largest cost that can be proposed.

    The stages' costs add up, so the dearest placement of each stage makes the dearest network.
    """
    least = plain_cost(search_space.backbone, search_space.num_classes)
    macs, params = least.macs, least.params
    for stage in search_space.stages:
        alone = [stage.cost(placement) for placement in stage.placements]
        macs += max((one.macs for one in alone), default=0)
        params += max((one.params for one in alone), default=0)
    return least, Cost(macs, params)
