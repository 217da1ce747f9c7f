"""Preflight: whether the world is as a plan needs it. One group of checks a module; printing is the command's work."""
