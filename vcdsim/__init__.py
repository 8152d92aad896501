"""An open simulator of VMware vCloud Director: XML over HTTP, a world on a virtual clock, faults.

`python -m vcdsim --port 8081 --world demo` serves it; tests use `Simulator` in their own process.
"""

from vcdsim.api import Answer
from vcdsim.faults import error
from vcdsim.simulator import Simulator

__all__ = ["Answer", "Simulator", "error"]
