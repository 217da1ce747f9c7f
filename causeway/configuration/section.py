"""How a section of a configuration file is declared: one dataclass, each field with its documentation."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, TypeVar, dataclass_transform

from pydantic import AfterValidator, ConfigDict, ValidationInfo

DOC = "doc"
EXAMPLE = "example"

T = TypeVar("T")


def setting(
    doc: str, *, default: Any = dataclasses.MISSING, factory: Any = dataclasses.MISSING, example: Any = None
) -> Any:
    """A field of a section.

    Args:
        doc: what it is for, with its unit; printed above the key in the default file.
        default: the value where the key is missing; a field without one must be set.
        factory: makes the default, for sections within sections.
        example: what the default file shows for a key that has no default.
    """
    metadata = {DOC: doc, EXAMPLE: example}
    if factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting, dataclasses.field))
def section(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen, slotted dataclass that refuses unknown keys and values of another type.

    Defaults are validated like everything else, so that a default path starts at the file's folder, too.
    """
    cls.__pydantic_config__ = ConfigDict(extra="forbid", strict=True, validate_default=True, allow_inf_nan=False)  # type: ignore[attr-defined]
    return dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)


def _resolve(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    return path if base is None else base / path


ConfigPath = Annotated[Path, AfterValidator(_resolve)]
"""A path in a configuration file; a relative one starts at the file's own folder."""
