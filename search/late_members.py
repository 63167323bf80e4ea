"""Networks that joined the front late: trained again from their seeds, for their weights.

A worker keeps what comes near the front as it then is. Later estimates may bring in a network that
was far below, whose weights are gone.
"""

from collections.abc import Callable
from dataclasses import replace

from space import placements_in_words
from studies import Evaluation, OpenStudy, Outcome, evaluations, read_front, refuse_replaced

from .batch import Ended, trained
from .checkpoint_files import drop_checkpoint
from .driver import Driver
from .executors import Job
from .front_files import attach_pictures, front_folder, kept_weights, whole_keep
from .options import in_words
from .soundness import fault_of


def without_weights(study: OpenStudy) -> list[Evaluation]:
    """Return the newest training of each front member whose weights are not kept."""
    known = [one for one in evaluations(study) if one.counts and one.purpose != "reference"]
    newest = {one.digest: one for one in known if one.state == "complete"}
    return [
        newest[row.digest]
        for row in read_front(study).rows
        if row.digest in newest and kept_weights(study, known, row.digest) is None
    ]


def keep_late_members(
    driver: Driver, say: Callable[[str], None], may_start: Callable[[], bool]
) -> bool:
    """Train them again, on the driver's idle workers; say whether all were begun.

    It adds nothing to the study but their files: the first training's accuracy stands.
    """
    late = without_weights(driver.study)
    if late:
        where = front_folder(driver.study)
        say(f"no weights of the front's {_in_words(late)} in {where}: trained again from the seed")
    begun: list[Evaluation] = []

    def job(number: int, attempt: int, row: Evaluation) -> Job:
        begun.append(row)
        keep = whole_keep(driver.study, row)
        return replace(driver.job(row), id=number, attempt=attempt, keep=keep)

    for ended in trained(driver.executor, late, job, lambda _row: may_start()):
        refuse_replaced(driver.study)
        say(_finished(driver, ended))
    return {one.id for one in begun} == {one.id for one in late}


def _in_words(late: list[Evaluation]) -> str:
    return "; ".join(placements_in_words(one.architecture) for one in late)


def _finished(driver: Driver, ended: Ended[Evaluation]) -> str:
    """Attach its pictures, or remove what was kept of a faulty one; return a line about it."""
    study, row = driver.study, ended.training
    drop_checkpoint(study, row)
    fault, outcome = ended.reason, ended.outcome
    if outcome is not None:
        protocol = driver.board.protocol(row)
        fault = fault_of(outcome, row.cost, protocol, ended.curve) or ""
    what = placements_in_words(row.architecture)
    if outcome is None or fault:
        for path in (whole_keep(study, row).weights, whole_keep(study, row).gates):
            if path is not None:
                path.unlink(missing_ok=True)
        return f"{what} could not be trained again for its weights: {fault}"
    attach_pictures(study, row)
    return f"{what}: weights kept, {_agreement(row, outcome)}, {in_words(ended.seconds)}"


def _agreement(row: Evaluation, outcome: Outcome) -> str:
    """Say whether the second training came out as the first, which stands."""
    if outcome.correct == row.correct:
        return f"{100 * outcome.accuracy:.2f} % as the first time, image by image"
    return f"{100 * outcome.accuracy:.2f} % ({100 * (row.accuracy or 0.0):.2f} % the first time)"
