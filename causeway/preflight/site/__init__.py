"""The site: whether its servers answer as devices, connection points and the gateway need them to."""
