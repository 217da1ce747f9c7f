import pytest_asyncio

from tests.unit.memory import data_path

path = pytest_asyncio.fixture(data_path, name="path")
