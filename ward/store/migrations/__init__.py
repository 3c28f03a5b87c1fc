"""Alembic's migrations, run by ``ward.store.database.migrate``."""
