"""A reference client for a Linux machine, and the simulator of many devices with the same code."""
