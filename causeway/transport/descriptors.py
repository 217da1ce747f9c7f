"""A connection costs a descriptor, and a process is allowed few of them until it asks for more."""

import resource


def allow_many_connections() -> None:
    """Raise this process's limit of open files as far as it may; many systems start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
