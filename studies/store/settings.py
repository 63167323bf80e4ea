"""The settings that a study was made with, and by which it goes on."""

from collections.abc import Mapping

from space import Refusal, count_in_words

SPACE = "space_digest"  # of the parameters and their choices
BUDGETS = ("max_macs", "max_params")
Settings = Mapping[str, object]


def refuse_other_settings(name: str, stored: Settings, wanted: Settings) -> None:
    """Refuse to go on with a study under other settings, naming the first that differs."""
    for key, value in wanted.items():
        if key == SPACE and stored.get(key) != value:
            raise Refusal(
                f"study {name} chooses among what another version of this program proposed, with "
                f"{SPACE} {stored.get(key)}, got {value}; name another --study, or use that one"
            )
        if stored.get(key) != value:
            option, (own, other) = key.replace("_", "-"), _both_in_words(key, stored, wanted)
            raise Refusal(
                f"study {name} has {option} {own}, got {other}; "
                "leave the option out to go on with it, or name another --study"
            )


def _both_in_words(key: str, stored: Settings, wanted: Settings) -> tuple[str, str]:
    """Return both values as people say them; budgets in full only where words do not differ."""
    values = stored.get(key), wanted[key]
    if key not in BUDGETS:
        return str(values[0]), str(values[1])
    own, other = (
        "no limit" if one is None else count_in_words(one) if isinstance(one, int) else str(one)
        for one in values
    )
    return (own, other) if own != other else (str(values[0]), str(values[1]))
