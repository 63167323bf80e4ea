"""What was tried and what it showed."""

from .database import STORAGE_ERRORS as STORAGE_ERRORS
from .database import database_path as database_path
from .database import storage_problem as storage_problem
from .evaluations import add_epoch as add_epoch
from .evaluations import add_proposal as add_proposal
from .evaluations import complete as complete
from .evaluations import completed as completed
from .evaluations import epochs as epochs
from .evaluations import evaluations as evaluations
from .evaluations import fail as fail
from .evaluations import refuse as refuse
from .evaluations import set_state as set_state
from .front import Front as Front
from .front import Point as Point
from .front import front_of as front_of
from .front_table import store_front as store_front
from .records import Epoch as Epoch
from .records import Evaluation as Evaluation
from .records import Outcome as Outcome
from .storage import OpenStudy as OpenStudy
from .storage import create_or_open as create_or_open
from .storage import existing_settings as existing_settings
from .storage import only_driver as only_driver
from .storage import open_existing as open_existing
from .storage import refuse_replaced as refuse_replaced
from .verdict import verdict as verdict
