"""``causeway check``: whether the world is as the plan needs it; each group of checks has a file for its options."""
