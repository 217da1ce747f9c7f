"""Programs that stand for many clients: each is a process of its own, so that it does not slow what it measures."""

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Self

import uvloop

_READY = "ready"

Life = Callable[[Any, Callable[[], None], asyncio.Event], Awaitable[Any]]
"""What a program does: takes what it was asked for, says when it is ready, ends with the event, returns its report."""


def raise_descriptor_limit() -> None:
    """Thousands of connections take thousands of descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(life: Life) -> None:
    """Run ``life`` with the JSON in the first argument until standard input ends; print its report."""
    raise_descriptor_limit()

    async def run() -> Any:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
        return await life(json.loads(sys.argv[1]), lambda: print(_READY, flush=True), stop)

    report = json.dumps(uvloop.run(run()))
    # Not by print: where Python's output is unbuffered, it takes no notice of a pipe that took only a part.
    with open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False) as output:
        output.write(report + "\n")


class Program:
    """The tests' side: starts the program with the block, and ends it."""

    def __init__(self, module: str, asked: Any) -> None:
        self._command = [sys.executable, "-m", module, json.dumps(asked)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if line != _READY:
            self.__exit__()
            raise AssertionError(f"{self._command}: {line!r}")
        return self

    def finish(self, timeout: float = 60.0) -> Any:
        """Have it come to its end; returns its report."""
        assert self._process is not None
        output, _ = self._process.communicate(timeout=timeout)
        assert self._process.returncode == 0, self._command
        return json.loads(output)

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is not None:
            process.kill()
            with contextlib.suppress(ValueError):
                process.communicate()
