"""What the site system serves, in bytes."""

SMALL_BYTES = 1024
MEDIUM_BYTES = 1024 * 1024
BIG_BYTES = 64 * 1024 * 1024
