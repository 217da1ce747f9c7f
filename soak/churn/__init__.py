"""The clients of the soak, a process of their own: ``python -m soak.churn '{…}'``."""
