"""Logging and metrics, the same for every part."""
