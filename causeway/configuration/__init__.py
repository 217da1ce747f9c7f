"""Configuration files: TOML in, frozen dataclasses out, and commented files from the same dataclasses."""

from causeway.configuration.loader import load, parse
from causeway.configuration.section import ConfigPath, section, setting
from causeway.configuration.template import default_toml, to_toml

__all__ = ["ConfigPath", "default_toml", "load", "parse", "section", "setting", "to_toml"]
