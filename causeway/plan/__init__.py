"""The deployment plan: one file from which every name, right, rule, cost and step of a gateway follows. Pure."""
