"""The whole system on one machine: production code with small settings."""
