"""The database's migrations, one file a step."""
