"""``causeway plan``: from a name to everything that a gateway needs."""
