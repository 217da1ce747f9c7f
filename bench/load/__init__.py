"""What plays the devices."""
