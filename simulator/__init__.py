"""A simulated ward: patients with coherent physiology, devices with faults, an MQTT publisher."""

from simulator.courses import SCRIPTS, Course
from simulator.faults import Fault
from simulator.messages import messages
from simulator.publisher import Progress
from simulator.run import Simulation
from simulator.scenes import scene
from simulator.transport import Message
from simulator.truth import write_truth
from simulator.ward_plan import Bed, Plan, plan_ward

__all__ = [
    "SCRIPTS",
    "Bed",
    "Course",
    "Fault",
    "Message",
    "Plan",
    "Progress",
    "Simulation",
    "messages",
    "plan_ward",
    "scene",
    "write_truth",
]
