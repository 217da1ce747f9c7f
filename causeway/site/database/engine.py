"""Open the database, bring it up to date, and give out transactions."""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event, func, make_url, select, text
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from causeway.errors import ConfigurationError, StateError
from causeway.files import PRIVATE_FILE, read_state
from causeway.site.config.database import SQLITE, DatabaseConfig
from causeway.site.errors import DatabaseUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_TIMEOUT_S = 20
_BUSY_PAUSE_S = 0.01
_LOCK_SPACE = 0x63617573  # any number that no other program on the same PostgreSQL locks
_VERSION_TABLE = "alembic_version"
_READ = "causeway_read"


class Database:
    """The site's database. Its methods block: callers on the event loop use the thread pool."""

    def __init__(self, config: DatabaseConfig) -> None:
        self._sqlite = config.url.startswith(SQLITE)
        self.name = database_name(config)
        # SQLite has one writer at a time. Waiting here is in order; SQLite's own waiting is by retries.
        self._writer: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self._sqlite else contextlib.nullcontext()
        )
        self.engine = _make_engine(config)

    def open(self) -> None:
        """Connect, and bring the tables to this version of Causeway.

        Raises:
            StateError: it cannot be reached, is no database, or belongs to a newer version.
        """
        if self._sqlite:
            self._make_private_file()
        try:
            with self.engine.begin() as connection:
                if not self._sqlite:
                    connection.execute(select(func.pg_advisory_xact_lock(_LOCK_SPACE, 0)))
                _migrate(connection)
        except SQLAlchemyError as error:
            raise self._state_error(error) from error
        except CommandError as error:
            raise StateError(
                f"{self.name}: made by another version of Causeway ({error}); run that version, or restore a backup"
            ) from error

    def _make_private_file(self) -> None:
        # SQLite gives the files beside it the rights of the first one. What is wrong with the folder is said later.
        with contextlib.suppress(OSError):
            os.close(os.open(self.name, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE))

    def describe(self) -> str:
        """What an operator wants to know: the engine, and whether the tables are those of this version.

        Raises:
            StateError: it cannot be reached, is no database, or belongs to another version.
        """
        if self._sqlite and not Path(self.name).exists():
            if not os.access(Path(self.name).parent, os.W_OK | os.X_OK):
                raise StateError(f"{self.name}: its folder must exist and be writable; make it or choose another")
            return "SQLite, not there yet; the site makes it"
        try:
            with self.engine.connect() as connection:
                tables = set(sqlalchemy.inspect(connection).get_table_names())
                revision = _revision(connection, tables)
        except SQLAlchemyError as error:
            raise self._state_error(error) from error
        engine = "SQLite" if self._sqlite else "PostgreSQL"
        if not tables:
            return f"{engine}, empty; the site makes the tables"
        known = [step.revision for step in ScriptDirectory.from_config(_alembic()).walk_revisions()]
        if revision not in known:
            raise StateError(f"{self.name}: not made by this version of Causeway; choose another database")
        return f"{engine}, revision {revision}" + (
            "" if revision == known[0] else f"; the site brings it to {known[0]}"
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, and not PostgreSQL: for the statements that the two spell differently."""
        return self._sqlite

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one state of the database and changes nothing."""
        reader = self.engine.execution_options(**{_READ: True})
        with _unavailable(), Session(reader, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def write(self, *, alone: str | None = None) -> Iterator[Session]:
        """A transaction that is on the disk when the block has ended, or has left no trace where the block raised.

        Args:
            alone: a name; no two transactions of that name run at once, in all site servers together. SQLite lets no
                two writers run anyway.
        """
        with (
            _unavailable(),
            self._writer,
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            if alone is not None and not self._sqlite:
                session.execute(select(func.pg_advisory_xact_lock(_LOCK_SPACE, func.hashtext(alone))))
            yield session

    def ping(self) -> None:
        """See that the database answers.

        Raises:
            DatabaseUnavailable: it does not.
        """
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def _state_error(self, error: SQLAlchemyError) -> StateError:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        if not self._sqlite:
            return StateError(f"{self.name}: the database cannot be used: {reason}")
        if isinstance(error, OperationalError) and "unable to open" in reason:
            return StateError(f"{self.name}: the database cannot be opened; its folder must exist and be writable")
        if isinstance(error, DatabaseError) and ("not a database" in reason or "malformed" in reason):
            return StateError(f"{self.name}: not a database or a corrupt one; restore it from a backup")
        return StateError(f"{self.name}: the database cannot be used: {reason}")


def database_name(config: DatabaseConfig) -> str:
    """What to call the database in messages: its file, or its URL without secrets."""
    return make_url(config.url).render_as_string(hide_password=True).removeprefix(SQLITE)


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise DatabaseUnavailable(f"the database cannot be used: {reason}") from error


def _make_engine(config: DatabaseConfig) -> Engine:
    url = make_url(config.url)
    if url.password is not None:
        # Said here and not as the file is read: an error about a key repeats its value.
        raise ConfigurationError("database.url: has a password in it; put it into a file, named by password_file")
    if config.url.startswith(SQLITE):
        engine = sqlalchemy.create_engine(
            url, pool_size=config.connections, max_overflow=0, connect_args={"timeout": _BUSY_TIMEOUT_S}
        )
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
        return engine
    if config.password_file is not None:
        lines = read_state(config.password_file, "the database password").decode("utf-8", "replace").splitlines()
        if not lines or not lines[0]:
            raise StateError(f"{config.password_file}: empty; its first line is the database password")
        url = url.set(password=lines[0])
    return sqlalchemy.create_engine(url, pool_size=config.connections, max_overflow=0, pool_pre_ping=True)


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transactions start too late (at the first write), so it gets none and we begin ours.
    connection.isolation_level = None
    # WAL lets readers read while one writes; FULL brings each commit to the disk before it returns.
    _use_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. Of several that do so at once SQLite refuses some, whatever its time-out."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_S)
        else:
            return


def _on_sqlite_begin(connection: Connection) -> None:
    # A write lock from the first statement: a transaction that reads first and writes later cannot fail in between.
    read = connection.get_execution_options().get(_READ, False)
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    config = _alembic()
    tables = set(sqlalchemy.inspect(connection).get_table_names())
    if tables and _VERSION_TABLE not in tables:
        raise CommandError(f"it holds other tables, such as {min(tables)}")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection, tables: set[str]) -> str | None:
    if _VERSION_TABLE not in tables:
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608
    return revision


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
