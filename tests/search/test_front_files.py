"""What is kept of front members: by the level at submission, attached before the tell, pruned."""

from pathlib import Path

import pytest
from optuna.artifacts import get_all_artifact_meta

from search.config import StudyConfig, config_of
from search.driver import Driver, Limits
from search.executors import Event, Job
from search.front_files import front_folder, keep_of, kept_weights, prune
from search.listener import Listener
from studies import OpenStudy, create_or_open, evaluations, read_front
from tests.search.scripted import SETTINGS, ScriptedExecutor, succeed


def reply(job: Job) -> list[Event]:
    """Do a job as a worker does: keep what reaches the level."""
    found = succeed(job)
    accuracy = getattr(found[-1], "outcome").accuracy  # noqa: B009 - the last event is the end
    if job.keep is not None and accuracy >= job.keep.above:
        job.keep.weights.write_text(job.architecture)
        if job.keep.gates is not None:
            job.keep.gates.write_bytes(b"\x89PNG")
    return found


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    return []


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, jobs: list[Job]) -> OpenStudy:
    """Return a study of 16 trainings whose workers keep files."""
    folder = tmp_path_factory.mktemp("kept")
    config = config_of({**SETTINGS, "backbone": "resnet8", "sampler": "random"})
    made = create_or_open(f"sqlite:///{folder}/study.db", "attention", config.settings())

    def heard(job: Job) -> list[Event]:
        jobs.append(job)
        return reply(job)

    driver = Driver(made, config, ScriptedExecutor(heard), listener=Listener())
    assert driver.run(Limits(16), lambda: False) == "total"
    return made


def test_at_the_end_each_front_member_has_its_newest_files_and_nothing_else(
    study: OpenStudy,
) -> None:
    known = evaluations(study)
    front = read_front(study)
    weights = {int(one.stem) for one in front_folder(study).glob("*.safetensors")}
    digests = [one.digest for one in known if one.id in weights]
    assert len(digests) == len(set(digests)) >= 1
    assert set(digests) <= {row.digest for row in front.rows}
    for row in front.rows:
        path = kept_weights(study, known, row.digest)
        assert path is None or path.read_text() == row.architecture.to_json()


def test_only_what_comes_near_the_front_is_kept(study: OpenStudy, jobs: list[Job]) -> None:
    references = {one.id for one in evaluations(study) if one.purpose == "reference"}
    for job in jobs:
        assert (job.keep is None) == (job.id in references)
    levels = [job.keep.above for job in jobs if job.keep is not None]
    assert levels[0] == 0.0
    assert max(levels) > 0.85


def test_pictures_hang_on_the_trials_whose_files_were_kept(study: OpenStudy) -> None:
    storage = study.optuna._storage
    named = {
        trial.number: {one.filename for one in get_all_artifact_meta(trial, storage=storage)}
        for trial in study.optuna.get_trials(deepcopy=False)
    }
    assert named[0] == {"architecture.svg", "gates.png"}
    for row in read_front(study).rows:
        kept = kept_weights(study, evaluations(study), row.digest)
        if kept is not None:
            trials = [one.trial for one in evaluations(study) if str(one.id) == kept.stem]
            assert named[trials[0] or 0] == {"architecture.svg", "gates.png"}
    assert set() in named.values()  # what came nowhere near has none


def test_a_reference_network_keeps_nothing(study: OpenStudy, config: StudyConfig) -> None:
    (first, *_) = [one for one in evaluations(study) if one.purpose == "reference"]
    assert keep_of(study, first, None) is None
    assert config.references


def test_the_folders_lie_beside_the_database(study: OpenStudy) -> None:
    folder = Path(study.url.removeprefix("sqlite:///")).parent
    assert front_folder(study) == folder / "study.attention.front"
    assert (folder / "study.artifacts").is_dir()


def test_what_others_keep_in_the_folder_stays(study: OpenStudy) -> None:
    folder = front_folder(study)
    own = {one.name for one in folder.iterdir()}
    theirs = {
        "3-notes.txt",
        "12.png",
        "7.safetensors.bak",
        "2026.03.01",
        ".notes.part",
        "\u0661.png",
    }
    for name in theirs:
        (folder / name).write_text("mine")
    (folder / "8.safetensors").mkdir()  # a folder is none of ours
    for name in ("999.safetensors", "999.gates.png", ".999.safetensors.12.part"):
        (folder / name).write_text("of a training that is not on the front")
    prune(study, read_front(study), {one.id: one for one in evaluations(study)}, ())
    assert {one.name for one in folder.iterdir()} == own | theirs | {"8.safetensors"}
    (folder / "8.safetensors").rmdir()


def test_what_is_near_the_front_stays_until_nothing_runs(study: OpenStudy) -> None:
    front, known = read_front(study), {one.id: one for one in evaluations(study)}
    on_front = {row.digest for row in front.rows}
    others = [one for one in known.values() if one.trial and one.digest not in on_front]
    above = {one.id: keep_of(study, one, front) for one in others}
    near = {n for n, keep in above.items() if keep and (known[n].accuracy or 0) >= keep.above}
    assert set() < near < set(above)
    paths = {number: front_folder(study) / f"{number}.safetensors" for number in above}
    for path in paths.values():
        path.write_text("weights")
    prune(study, front, known, running={max(known) + 1})
    left = {number for number, path in paths.items() if path.exists()}
    assert {known[number].digest for number in left} == {known[number].digest for number in near}
    prune(study, front, known, running=())
    assert not any(path.exists() for path in paths.values())
