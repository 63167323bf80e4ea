"""The command line: registers the commands, and turns every refusal into one line."""

import os
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import typer
from typer.exceptions import TyperException

from .commands import data
from .commands.backup import backup
from .commands.baselines import baselines
from .commands.bench import bench
from .commands.confirm import confirm
from .commands.dashboard import dashboard
from .commands.doctor import doctor
from .commands.explain import explain
from .commands.export import export
from .commands.fidelity import fidelity
from .commands.front import front
from .commands.gates import gates
from .commands.pilot import pilot
from .commands.plot import plot
from .commands.report import report
from .commands.run import run
from .commands.space import space
from .commands.status import status
from .commands.train import train

BAD_INPUT = 2
INTERRUPTED = 130
# The password of a URL: before the last @, and in a query up to what ends a part of it.
IN_FRONT = re.compile(r"(\w+:/+[^:/@]*:).*(?=@)", re.DOTALL)
IN_QUERY = re.compile(r"(\w*password\w*=)[^&\s)']+", re.IGNORECASE)
IN_QUERY_OF_ONE = re.compile(r"(\w*password\w*=)[^&]+", re.IGNORECASE)
LONGEST = 1_000  # characters of a complaint, whatever the value it names

app = typer.Typer(
    name="search",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which attention, where in my ResNet, at what cost? Search, and believe the answer.",
)
COMMANDS = (
    space,
    bench,
    pilot,
    run,
    status,
    front,
    confirm,
    explain,
    fidelity,
    baselines,
    plot,
    report,
    export,
    train,
    gates,
    dashboard,
    backup,
    doctor,
)
for command in COMMANDS:
    app.command(command.__name__)(command)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path may hold any bytes
    code = run_command(sys.argv[1:])
    if code == INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # Ctrl-C within an import's `exec` has Python end by the signal otherwise
    sys.exit(code)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; return 0, 2 for bad input, or what the command says."""
    try:
        code = app(args=list(arguments), standalone_mode=False)
    except TyperException as error:
        return _refused(_usage_problem(error, arguments), arguments)
    except Exception as error:
        problem = _problem(error)
        if problem is None:
            raise
        return _refused(problem, arguments)
    return code if isinstance(code, int) else 0


def _usage_problem(error: TyperException, arguments: Sequence[str]) -> str:
    """Return what is wrong with the words of the call, the value, and where to look."""
    message = error.format_message().rstrip(".") or "name a command"
    parameter = getattr(error, "param", None)
    for name in getattr(parameter, "opts", ()):
        if name in arguments[:-1]:
            message += f", got {arguments[arguments.index(name) + 1]}"
        for one in arguments:
            if one.startswith(f"{name}="):
                message += f", got {one.partition('=')[2] or repr('')}"
    command = next((one for one in arguments if not one.startswith("-")), "")
    known = command if command in {one.name for one in app.registered_commands} else ""
    return f"{message}; see `search {known} --help`".replace("  ", " ")


def _refused(line: str, arguments: Sequence[str]) -> int:
    """Print the line; the password of a URL in the wrong place of a call is not repeated."""
    typer.echo(f"search: {_printable(_without_passwords(line, arguments))}", err=True)
    return BAD_INPUT


def _without_passwords(line: str, arguments: Sequence[str]) -> str:
    """Return the line without what could be one: rather too much is left out than too little.

    Where an argument ends is known; a line may repeat it in another form.
    """
    for one in arguments:
        value = one.partition("=")[2] if one.startswith("--") else one
        shown = IN_QUERY_OF_ONE.sub(r"\1***", value)
        line = line.replace(value, shown) if shown != value else line
    return IN_QUERY.sub(r"\1***", IN_FRONT.sub(r"\1***", line))


def _printable(text: str) -> str:
    """Return it as one line of sane length that no terminal takes for a command."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in cut)


def _problem(error: Exception) -> str | None:
    """Return one line for a refusal, a database or a disk; None for a bug of ours."""
    from space import Refusal  # here, so that --help loads nothing
    from studies import STORAGE_ERRORS, storage_problem

    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, STORAGE_ERRORS):
        return storage_problem(error)
    if isinstance(error, OSError) and error.strerror:
        where = f" {error.filename}" if error.filename else ""
        return f"{error.strerror}:{where or ' (no file named)'}; mend that and run again"
    return None
