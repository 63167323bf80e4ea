"""Where jobs are done."""

from .jobs import Before as Before
from .jobs import Checkpoint as Checkpoint
from .jobs import Done as Done
from .jobs import EpochDone as EpochDone
from .jobs import Event as Event
from .jobs import Executor as Executor
from .jobs import Failed as Failed
from .jobs import Job as Job
from .jobs import JobFailedError as JobFailedError
from .jobs import JobStoppedError as JobStoppedError
from .jobs import Lost as Lost
from .jobs import Probed as Probed
from .jobs import ProbeDone as ProbeDone
from .jobs import ShouldStop as ShouldStop
from .jobs import Stopped as Stopped
from .local import LocalExecutor as LocalExecutor
