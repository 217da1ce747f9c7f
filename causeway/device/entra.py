"""Entra tokens of a device: from whoever on it can get them, such as a broker, by a file or by a command.

The device asks for no token itself and keeps none: a broker holds what proves the device to Entra ID, and renews.
"""

import asyncio
import contextlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from causeway.device.errors import EntraTokenError
from causeway.errors import ConfigurationError

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,8000}(?:\.[A-Za-z0-9_-]{1,8000}){2}")
_MAX_BYTES = 32 * 1024
_COMMAND_S = 60.0
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class EntraTokenSource:
    """Where the device's Entra token comes from: a ``file``, read anew each time, or a ``command`` that prints one.

    The command is run without a shell.
    """

    file: Path | None = None
    command: str | None = None

    def __post_init__(self) -> None:
        if (self.file is None) == (self.command is None):
            raise ConfigurationError("an Entra token comes from a file or from a command: give one of them")
        if self.command is not None and not self._words():
            raise ConfigurationError("the command for an Entra token is empty")

    async def token(self) -> str:
        """A token, as it is now.

        Raises:
            EntraTokenError: there is none; the message says why and never what was there.
        """
        text = await asyncio.to_thread(self._read) if self.file is not None else await self._run()
        token = text.decode("ascii", "replace").strip()
        if not _TOKEN.fullmatch(token):
            raise EntraTokenError(f"{self._name}: no token: expected one word with two dots in it")
        return token

    @property
    def _name(self) -> str:
        return str(self.file) if self.file is not None else self._words()[0]

    def _words(self) -> list[str]:
        try:
            return shlex.split(self.command or "")
        except ValueError as error:
            raise ConfigurationError(f"the command for an Entra token cannot be read: {error}") from None

    def _read(self) -> bytes:
        assert self.file is not None
        try:
            with self.file.open("rb") as file:
                return file.read(_MAX_BYTES)
        except OSError as error:
            raise EntraTokenError(f"{self.file}: cannot be read: {error.strerror}") from None

    async def _run(self) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise EntraTokenError(f"{self._name}: cannot be run: {error.strerror}") from None
        try:
            async with asyncio.timeout(_COMMAND_S):
                output, errors = await process.communicate()
        except TimeoutError:
            raise EntraTokenError(f"{self._name}: printed no token within {_COMMAND_S:.0f} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if process.returncode:
            lines = errors.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
            raise EntraTokenError(f"{self._name}: ended with {process.returncode}: {lines[-1][:_SHOWN]}")
        return output[:_MAX_BYTES]
