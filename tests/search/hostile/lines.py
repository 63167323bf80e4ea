"""Command lines as nobody should type them: real commands and options, good values and bad."""

from typing import Any

import typer
from hypothesis import strategies as st

from search.cli import app
from tests.search.hostile.yard import DATABASES, STRANGE

STORAGES = [
    *(f"sqlite:///{name}" for name in DATABASES),
    "sqlite:///new.db",
    "sqlite:///folder",
    "sqlite:///no/such/folder/x.db",
    "sqlite:///pipe.yaml",
    "sqlite:///loop",
    "sqlite:///outside/x.db",
    "sqlite:////dev/zero",
    "sqlite:////proc/self/mem",
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:///good.db?mode=ro&uri=true",
    "sqlite:///file:good.db?mode=ro&uri=true",
    "sqlite:///" + "long" * 100 + ".db",
    "sqlite:///\udc80.db",
    "sqlite+pysqlite:///good.db",
    "sqlite+nothing:///good.db",
    "mysql://h/d",
    "redis://localhost",
    "postgres://u:p@h/d",
    "http://[::1",
    "sqlite://user:word@host:99999/x",
    "://",
    "study.db",
]
FILES = [
    "se.yaml",
    "plain.json",
    "protocol.yaml",
    "binary.yaml",
    "large.yaml",
    "text.safetensors",
    "huge.safetensors",
    "pipe.safetensors",
    "pipe.yaml",
    "folder",
    "folder.yaml",
    "outside",
    "loop",
    "none.yaml",
    "new/a.yaml",
    "folder/mine.txt/a.yaml",
    "/proc/x.yaml",
    "a.html",
    "folder/a.html",
    "no/such/a.html",
    "a.safetensors",
    "no/such/a.safetensors",
    "out",
    ".",
    "..",
    "/",
]
# What an option may well be given.
USUAL = {
    "--storage": STORAGES,
    "--study": ["attention", STRANGE, "none", "../attention", "a/b", "x" * 101],
    "--backbone": ["resnet20", "resnet8", "resnet18", "resnet50"],
    "--dataset": ["cifar10", "cifar10-sample"],
    "--kinds": ["se", "se,cbam", "all", "se,,", "se,se"],
    "--cost": ["macs", "flops", "params"],
    "--sampler": ["known-cost", "tpe", "nsga2", "random"],
    "--pick": ["best", "knee", "front", "row:1", "row:0", "trial:2", "row:" + "9" * 5000, "row:²"],
    "--format": ["table", "json", "csv", "markdown"],
    "--device": ["cpu", "auto", "cuda"],
    "--recipe": ["study", "tutorial"],
    "--ablate": ["best", "recommended", "row:1", "front"],
    "--max-time": ["2h", "90m", "9" * 400 + "h", "1" * 5000, "\u0661h", "0s"],
    "--budget": ["1s", "9" * 400 + "h", "1h1h"],
    "--max-macs": ["1.1x", "45M", "9" * 15 + "g", "0x", "1e5"],
    "--max-params": ["1.5x", "400k", "0.1x"],
    "--workers": ["auto", "1", "256", "257", "9" * 5000, "\u0661"],
}
NUMBERS = ["0", "1", "2", "3", "10", "-1", "1000000000000", "9" * 19, "9" * 400, "9" * 5000]
NUMBERS += ["0.1", "-0.0", "1e308", "1e309", "nan", "inf", "-inf", "1_0", " 1", "\uff11", "1e-320"]
STRANGE_VALUES = ["", " ", "\n", "a\nb", "\x1b[31mred", "\udc80\udcff", "\N{FOX FACE}", "-", "--"]
STRANGE_VALUES += ["%s%n", "{0}", "[/red]", "$(id)", "~", "*", "'; drop table studies; --"]
STRANGE_VALUES += ["/dev/null", "/dev/zero", "../..", "a" * 300, "b" * 5000, "\u202etxt", "--help"]

# What a shell can hand over: no NUL, any other character, bytes that are no UTF-8 as surrogates.
TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=30)
VALUES = st.one_of(
    st.sampled_from(NUMBERS), st.sampled_from(STRANGE_VALUES), st.sampled_from(FILES), TEXTS
)


def _commands() -> list[tuple[tuple[str, ...], list[Any]]]:
    """Return the words of every command there is, with its options and arguments."""
    group: Any = typer.main.get_command(app)
    found: list[tuple[tuple[str, ...], list[Any]]] = []
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        if inner is None:
            found.append(((name,), command.params))
        else:
            found += [((name, one), its.params) for one, its in inner.items()]
    return found


# hypothesis likes the first; `space` takes a second and has little to get wrong.
COMMANDS = sorted(_commands(), key=lambda one: one[0] == ("space",))


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command with some of its options, most of them good."""
    words, parameters = draw(st.sampled_from(COMMANDS))
    line = list(words)
    for parameter in parameters:
        is_needed = parameter.required or "--storage" in parameter.opts
        if draw(st.integers(0, 7)) >= (7 if is_needed else 2):
            continue
        line += draw(_given(parameter))
    if draw(st.integers(0, 7)) == 7:
        line.insert(draw(st.integers(0, len(line))), draw(VALUES))
    return line


@st.composite
def _given(draw: st.DrawFn, parameter: Any) -> list[str]:  # noqa: ANN401 - typer's own
    """Draw the words that give one option or argument."""
    name = draw(st.sampled_from([*parameter.opts, *parameter.secondary_opts]))
    if getattr(parameter, "is_flag", False):
        return [name]
    usual = USUAL.get(name)
    is_usual = draw(st.integers(0, 7)) > 0
    value = draw(st.sampled_from(usual) if usual and is_usual else VALUES)
    if not name.startswith("-"):
        return [value]
    return [f"{name}={value}"] if draw(st.booleans()) else [name, value]
