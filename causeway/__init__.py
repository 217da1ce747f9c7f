"""Causeway: an open cloud management gateway."""

from importlib.metadata import version

__version__ = version("causeway")
