"""The site: the one part with state. It runs the management point and publishes the gateway settings."""
