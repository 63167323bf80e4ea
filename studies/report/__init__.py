"""A study as one page: facts first, then figures and sections, the template last."""

from .facts import ReportFacts as ReportFacts
from .facts import report_facts as report_facts
from .page import report_page as report_page
from .words import CONFIRM as CONFIRM
from .words import Confirmation as Confirmation
from .words import Explained as Explained
from .words import Words as Words
