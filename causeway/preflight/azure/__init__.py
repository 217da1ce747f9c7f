"""Whether the plan's subscription is as the plan needs it. The SDK is loaded when a check asks Azure."""
