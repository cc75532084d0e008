"""The names a corpus file is made of: tables, migrations in order, and what a reader may assume. Imports nothing heavy."""

from __future__ import annotations

MIGRATION_SET = "corpus"
MIGRATIONS_TABLE = "_sqlite_migrations"

MIGRATIONS: tuple[str, ...] = ("m001_records", "m002_search", "m003_retrieval")
"""Every migration ever released, oldest first. A corpus with any other name in it was written by a newer DeepImagine."""

DERIVED_TABLES: tuple[str, ...] = ("trials", "texts", "facets", "programmes", "doses", "profiles")
"""What `rederive` can make again from `records`."""

TEXT_COLUMNS: tuple[str, ...] = ("nct", "title", "conditions", "interventions", "arms", "outcomes", "other", "tags")
"""The columns of the full-text index. `tags` holds filter tokens that begin with `=`, which no typed word can."""

TEXT_WEIGHTS: tuple[float, ...] = (20.0, 8.0, 6.0, 6.0, 3.0, 1.5, 1.0, 0.0)
"""Their weights in bm25, in the same order."""
