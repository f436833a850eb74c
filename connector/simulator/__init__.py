"""A Dome of our own: WebSocket and REST on one port, a book of what happened, and faults on demand."""

from connector.simulator.book import Book, Delivery, Executed
from connector.simulator.faults import Fault
from connector.simulator.server import Simulator
from connector.simulator.settings import Config, Switches

__all__ = ["Book", "Config", "Delivery", "Executed", "Fault", "Simulator", "Switches"]
