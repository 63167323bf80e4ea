"""The address of a Ray cluster, as an option or the environment names it; without Ray."""

from space import Refusal

HERE = ("auto", "local")  # Ray looks on this machine itself
CLIENT = "ray://"


def host_and_port(address: str, name: str) -> tuple[str, int]:
    """Return where the head of the cluster listens; an IPv6 host stands in brackets.

    Raises:
        Refusal: it is a Ray client's, or no address; begins with the name of what holds it.
    """
    if address.startswith(CLIENT):
        raise Refusal(
            f"{name} must be auto, local or HOST:PORT, got {address}: a Ray client "
            "passes no epochs on while they run; start the search on a node of the cluster"
        )
    host, _, port = address.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65_535
    if not host or not is_port:
        raise Refusal(f"{name} must be auto, local or HOST:PORT, got {address}")
    return host.removeprefix("[").removesuffix("]"), int(port)
