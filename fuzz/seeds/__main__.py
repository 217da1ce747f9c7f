"""``python -m fuzz.seeds``."""

import sys

from fuzz.seeds import CORPUS, write

sys.stdout.write(f"{write()} seeds written to {CORPUS}\n")
