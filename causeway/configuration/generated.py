"""Configuration files that a program writes and a person may take over."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from causeway.files import read_state, write_atomically

GENERATED = "# Kept in step by `causeway up`. Remove this line to edit the file yourself; it is then left alone."

Table = Mapping[str, object]


def keep_in_step(path: Path, comment: str, tables: Mapping[str, Table | Sequence[Table]]) -> None:
    """Write ``tables`` as TOML to ``path``, unless a person has taken the file over by removing its first line.

    Args:
        path: the file.
        comment: one line below the first.
        tables: by name; the name ``""`` holds the keys above all tables, a sequence stands for repeated tables.

    Raises:
        StateError: the file cannot be read or written.
    """
    lines = [GENERATED, f"# {comment}"]
    for name, content in tables.items():
        repeated = not isinstance(content, Mapping)
        rows: Sequence[Table] = [content] if isinstance(content, Mapping) else content
        for table in rows:
            lines.append("")
            if name:
                lines.append(f"[[{name}]]" if repeated else f"[{name}]")
            # JSON's strings, numbers, booleans and lists are TOML's.
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    text = "\n".join(lines) + "\n"
    if path.exists():
        present = read_state(path, "the configuration").decode("utf-8", "replace")
        if not present.startswith(GENERATED) or present == text:
            return
    write_atomically(path, text.encode())
