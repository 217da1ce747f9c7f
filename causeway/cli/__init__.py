"""The command line: a command group is one thin file, or a folder in which ``app`` names its commands.

What several groups need is in ``shared``; no group imports another.
"""
