"""24-hour behaviour in small: minutes of churn through a real gateway and connection point, with memory watched.

``python -m soak`` fails where a process grows after the first minute, keeps descriptors, or fails a request.
"""
