"""The gateway settings: built from the configuration, versioned, signed, and handed to connection points."""

from causeway.site.settings.build import Content, build_content
from causeway.site.settings.decisions import Decisions, read_decisions
from causeway.site.settings.publisher import Publisher

__all__ = ["Content", "Decisions", "Publisher", "build_content", "read_decisions"]
