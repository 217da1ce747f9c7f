"""Processes, their time and their memory."""

import os
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.processes import Process, cpu_seconds, memory_kb


def test_a_process_is_counted_with_its_descendants(tmp_path: Path) -> None:
    process = Process("it", ["sh", "-c", "sleep 60 & echo up; wait"], tmp_path / "log")
    try:
        while not (tmp_path / "log").read_text():
            os.sched_yield()
        pids = process.pids
        assert len(pids) == 2
        assert cpu_seconds(pids) < 5
        assert memory_kb(pids) > 100
    finally:
        process.stop()
    with pytest.raises(BenchError, match="ended while it was measured"):
        cpu_seconds(pids)


def test_a_process_that_ended_is_told_with_its_last_words(tmp_path: Path) -> None:
    process = Process("the edge", ["sh", "-c", "echo no such certificate >&2; exit 1"], tmp_path / "log")
    with pytest.raises(BenchError, match="the edge ended: no such certificate"):
        _until_it_ends(process)


def _until_it_ends(process: Process) -> None:
    while True:
        process.check()
        os.sched_yield()


def test_this_process_uses_time_and_memory() -> None:
    assert cpu_seconds([os.getpid()]) > 0
    assert memory_kb([os.getpid()]) > 1000
