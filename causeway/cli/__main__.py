"""``python -m causeway.cli``: the same as ``causeway``, where the interpreter is known and the path is not."""

from causeway.cli.main import main

main()
