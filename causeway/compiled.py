"""Whether this is a compiled data path: the same modules, made into machine code when the package was built."""

from importlib.util import find_spec


def data_path_is_compiled() -> bool:
    """Whether it is."""
    spec = find_spec("causeway.tunnel.frames")
    return spec is not None and not str(spec.origin).endswith(".py")
