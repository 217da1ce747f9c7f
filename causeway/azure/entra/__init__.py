"""The application registrations of a plan in Entra ID: read, compared with the plan, made and repaired."""
