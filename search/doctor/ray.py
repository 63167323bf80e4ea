"""A Ray cluster, where one is configured."""

import os
import socket
from importlib.util import find_spec

from space import Refusal

from ..executors.ray_address import HERE, host_and_port
from .finding import Finding

ADDRESS = "RAY_ADDRESS"
CONNECT_SECONDS = 3.0
INSTALL = "pip install 'attention-search[ray]'"


def ray_findings() -> list[Finding]:
    """Return whether the cluster that the environment names answers; nothing where none is."""
    address = os.environ.get(ADDRESS)
    if not address:
        return []
    if find_spec("ray") is None:
        return [Finding("ray", "problem", f"{ADDRESS} is set and Ray is not installed", INSTALL)]
    if address in HERE:
        return [Finding("ray", "ok", f"{ADDRESS} is {address}")]
    try:
        where = host_and_port(address, ADDRESS)
    except Refusal as error:  # as a run would say
        return [Finding("ray", "problem", str(error), f"set it so, or unset {ADDRESS}")]
    try:
        socket.create_connection(where, CONNECT_SECONDS).close()
    except (OSError, UnicodeError) as error:  # no host's name has a part of 64 characters
        what = f"{address} in {ADDRESS} does not answer: {error}"
        return [Finding("ray", "problem", what, f"ray start --head there, or unset {ADDRESS}")]
    return [Finding("ray", "ok", f"{address} answers")]
