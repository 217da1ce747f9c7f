"""Fuzzing of every reader of outside bytes: ``python -m fuzz``.

``harnesses/`` holds a file for each reader, ``corpus/`` the inputs to start from and those that once did harm.
Harnesses are plain functions and do without atheris, so the test suite runs every file of the corpus through them.
"""
