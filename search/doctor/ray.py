"""A Ray cluster, where one is configured."""

import os
import socket
from importlib.util import find_spec

from .finding import Finding

ADDRESS = "RAY_ADDRESS"
CONNECT_SECONDS = 3.0
INSTALL = "pip install 'attention-search[ray]'"
HERE = ("auto", "local")  # Ray looks on this machine itself


def ray_findings() -> list[Finding]:
    """Return whether the cluster that the environment names answers; nothing where none is."""
    address = os.environ.get(ADDRESS)
    if not address:
        return []
    if find_spec("ray") is None:
        return [Finding("ray", "problem", f"{ADDRESS} is set and Ray is not installed", INSTALL)]
    if address in HERE:
        return [Finding("ray", "ok", f"{ADDRESS} is {address}")]
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        what = f"{ADDRESS} must be auto, HOST:PORT or ray://HOST:PORT, got {address}"
        return [Finding("ray", "problem", what, f"set it so, or unset {ADDRESS}")]
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        what = f"{address} in {ADDRESS} does not answer: {error}"
        return [Finding("ray", "problem", what, f"ray start --head there, or unset {ADDRESS}")]
    return [Finding("ray", "ok", f"{address} answers")]
