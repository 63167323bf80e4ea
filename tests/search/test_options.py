import pytest

from search.options import cost_name, duration, in_words, kind_names, num_workers
from space import MECHANISMS, Refusal


@pytest.mark.parametrize(
    ("given", "stored"),
    [(None, None), ("macs", "macs"), ("flops", "macs"), ("params", "params")],
)
def test_costs_have_their_stored_names_and_flops_is_macs(
    given: str | None, stored: str | None
) -> None:
    assert cost_name(given) == stored


@pytest.mark.parametrize("given", ["latency", "", "MACs"])
def test_another_cost_is_refused(given: str) -> None:
    with pytest.raises(Refusal, match=f"--cost must be macs or params, got {given or repr('')}$"):
        cost_name(given)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 30 * 60),
        ("30min", 30 * 60),
        ("2h", 2 * 3600),
        ("1.5h", 1.5 * 3600),
        ("1h30m", 3600 + 30 * 60),
        ("1h30m5s", 3600 + 30 * 60 + 5),
    ],
)
def test_times_are_read_in_seconds(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_no_time_is_no_limit() -> None:
    assert duration(None) is None


@pytest.mark.parametrize(
    "text", ["", "90", "2d", "h", "-2h", "2h 30m", "0s", "2h!", "1:30", "nan"]
)
def test_another_time_is_refused(text: str) -> None:
    shown = text or repr("")
    with pytest.raises(Refusal, match=f"--max-time must be a time such as .*, got {shown}$"):
        duration(text)


@pytest.mark.parametrize("text", ["8760h1s", "9" * 400 + "h"])
def test_a_time_of_years_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="--max-time must be at most a year, which is 8760h, got "):
        duration(text)


@pytest.mark.parametrize("text", ["9" * 5_000, "\N{ARABIC-INDIC DIGIT ONE}", "0", "257", "1.0"])
def test_another_number_of_workers_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="--workers must be auto or 1 to 256, got "):
        num_workers(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (12 * 60 + 10, "12 min"),
        (59.4 * 60, "59 min"),
        (59.6 * 60, "1 h"),
        (2 * 3600 + 10 * 60, "2 h 10 min"),
        (47 * 3600 + 59 * 60, "47 h 59 min"),
        (48 * 3600, "2 d 0 h"),
        (76 * 3600, "3 d 4 h"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize("text", ["12 min", "2 h", "2 h 10 min", "45 s"])
def test_what_is_said_can_be_given_back(text: str) -> None:
    seconds = duration(text.replace(" ", ""))
    assert seconds is not None
    assert in_words(seconds) == text


@pytest.mark.parametrize(("text", "number"), [("auto", None), ("1", 1), ("256", 256)])
def test_workers_are_a_number_or_found(text: str, number: int | None) -> None:
    assert num_workers(text) == number


@pytest.mark.parametrize("text", ["0", "257", "-1", "two", "1.5", ""])
def test_other_workers_are_refused(text: str) -> None:
    shown = text or repr("")
    with pytest.raises(Refusal, match=f"--workers must be auto or 1 to 256, got {shown}$"):
        num_workers(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("se", ["se"]),
        ("se,cbam,gam", ["se", "cbam", "gam"]),
        ("gam, se,cbam ", ["se", "cbam", "gam"]),
        (",".join(MECHANISMS), list(MECHANISMS)),
    ],
)
def test_mechanisms_are_named_in_any_order_and_kept_in_one(text: str, names: list[str]) -> None:
    assert sorted(names, key=list(MECHANISMS).index) == names
    assert kind_names(text) == names


def test_no_mechanisms_named_are_all() -> None:
    assert kind_names(None) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("sea", "--kinds must be among se,.*, got sea$"),
        ("se,SE", "--kinds must be among se,.*, got SE$"),
        ("se;cbam", "--kinds must be among se,.*, got se;cbam$"),
        ("", "--kinds must be among se,.*, got ''$"),
        ("se,", "--kinds must be among se,.*, got 'se,'$"),
        ("none", "--kinds must be among se,.*, got none$"),
        ("se,cbam,se", "--kinds must each be named once, got se twice$"),
    ],
)
def test_other_mechanisms_are_refused(text: str, rule: str) -> None:
    with pytest.raises(Refusal, match=rule):
        kind_names(text)
