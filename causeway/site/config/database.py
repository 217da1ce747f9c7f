"""``[database]``: where the state is kept."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from causeway.configuration import ConfigPath, section, setting

SQLITE = "sqlite:///"
POSTGRESQL = "postgresql+psycopg://"


def _database_url(url: str, info: ValidationInfo) -> str:
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        base = (info.context or {}).get("base")
        path = Path(url.removeprefix(SQLITE))
        return SQLITE + str(path if base is None else base / path)
    if url.startswith(POSTGRESQL):
        return url
    raise ValueError(f"expected {SQLITE}FILE or {POSTGRESQL}USER@HOST/DATABASE")


@section
class DatabaseConfig:
    """SQLite for one site server; PostgreSQL where there are more, or where one is at hand."""

    url: Annotated[str, AfterValidator(_database_url)] = setting(
        "sqlite:///FILE (relative to this file's folder), or postgresql+psycopg://USER@HOST:PORT/DATABASE.",
        default="sqlite:///site.db",
    )
    password_file: ConfigPath | None = setting(
        "File with the PostgreSQL password on its first line; readable for the site alone.",
        default=None,
        example="database-password",
    )
    connections: Annotated[int, Field(ge=1, le=200)] = setting("Connections kept open at most.", default=10)
