"""The parts of a new worker's start, one by one in a process of its own: prints them as JSON.

    python -m benchmarks.start_up_parts CLOCK DEVICE BACKBONE PROTOCOL

CLOCK is the reading of the machine's monotonic clock when the process was asked for, PROTOCOL is
JSON. Nothing is imported before the first part begins: the imports are what it measures.
"""

import json
import sys
import time


def seconds_of_parts(asked: float, device: str, backbone: str, protocol: str) -> dict[str, float]:
    """Return the seconds of each part, in the order in which a worker goes through them."""
    from backbones import measure
    from search.config import Protocol
    from search.training.optimizer import optimizer_of
    from search.training.worker import images_of, seeded_model
    from space import plain

    imported = time.monotonic()
    recipe = Protocol.model_validate_json(protocol)
    model = seeded_model(plain(backbone), 0)
    measure(model)
    counted = time.monotonic()
    images_of(recipe, None, device)
    read = time.monotonic()
    optimizer_of(model, recipe)  # the first one makes torch import its compiler
    return {
        "process and imports": imported - asked,
        "network and its count": counted - imported,
        "data": read - counted,
        "optimiser": time.monotonic() - read,
    }


if __name__ == "__main__":
    print(json.dumps(seconds_of_parts(float(sys.argv[1]), *sys.argv[2:])))
