import hashlib

from search.seeds import derived_seed


def test_no_seed_is_used_twice() -> None:
    purposes = ("training", "sampler", "reference", "confirmation")
    found = {derived_seed(0, purpose, index) for purpose in purposes for index in range(1_000)}
    assert len(found) == 4_000


def test_another_study_has_other_seeds() -> None:
    one, two = ({derived_seed(s, "training", i) for i in range(1_000)} for s in (0, 1))
    assert not one & two


def test_seeds_are_the_first_31_bits_of_a_hash() -> None:
    """Stored studies are resumed with them: the formula stays."""
    text = hashlib.sha256(b"7/training/42").hexdigest()
    assert derived_seed(7, "training", 42) == int(text[:8], 16) // 2
    assert derived_seed(7, "reference", "resnet20") == (
        int(hashlib.sha256(b"7/reference/resnet20").hexdigest()[:8], 16) // 2
    )


def test_seeds_fill_31_bits() -> None:
    found = [derived_seed(3, "training", index) for index in range(1_000)]
    assert 0 <= min(found) < 2**31 / 100
    assert 2**31 * 0.99 < max(found) < 2**31
    assert abs(sum(found) / 1_000 / 2**30 - 1) < 0.06  # uniform: three standard errors
