"""``causeway azure``: what is done in Azure with the plan: who is signed in, resource providers, applications."""
