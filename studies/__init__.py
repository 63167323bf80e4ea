"""What was tried and what it showed.

Names are in `__init__.pyi` and each is imported when it is first used: a worker needs records
alone, and starts a second earlier without the database and the statistics. So no module directly
in this package may have the name of what it defines.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
