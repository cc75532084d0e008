"""How a corpus file comes to its present schema: named migrations, each in one transaction with the record that it ran.

sqlite-utils takes a tenth of a second and more to import, so only writers import this module.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

from deepimagine_tui.corpus import schema
from deepimagine_tui.corpus.connection import transaction

corpus_migrations = Migrations(schema.MIGRATION_SET)


@corpus_migrations()
def m001_records(db: Database) -> None:
    """The records themselves, where they came from, and those that could not be read."""
    db.table("records").create(
        {
            "docid": int,
            "nct_id": str,
            "digest": str,
            "trial": bytes,
            "raw": bytes,
            "raw_sha256": str,
            "updated": str,
            "source": str,
            "imported_at": str,
            "ingest_id": int,
        },
        pk="docid",
        not_null={"nct_id", "digest", "trial", "updated", "source", "imported_at"},
    )
    db.table("records").create_index(["nct_id"], unique=True)
    db.table("records").create_index(["raw_sha256"])
    db.table("aliases").create({"alias": str, "nct_id": str}, pk="alias")
    db.table("aliases").create_index(["nct_id"])
    db.table("ingests").create(
        {
            "id": int,
            "kind": str,
            "source": str,
            "query": str,
            "token": str,
            "state": str,
            "started": str,
            "ended": str,
            "done": int,
            "added": int,
            "updated": int,
            "unchanged": int,
            "quarantined": int,
            "error": str,
        },
        pk="id",
    )
    db.table("quarantine").create(
        {"source": str, "name": str, "error": str, "raw": bytes, "seen_at": str, "ingest_id": int}, pk=("source", "name")
    )
    db.table("meta").create({"key": str, "value": str}, pk="key")
    db.table("meta").insert({"key": "digest", "value": "0" * 32})


@corpus_migrations()
def m002_search(db: Database) -> None:
    """One narrow row a trial, its words for full-text search, and the values that filters offer."""
    db.table("trials").create(
        {
            "docid": int,
            "nct_id": str,
            "title": str,
            "phases": str,
            "conditions": str,
            "interventions": str,
            "arms": int,
            "enrolment": int,
            "posted": str,
            "status": str,
            "has_results": int,
            "dose_ranging": int,
            "countries": int,
            "outcomes": int,
            "cells": int,
            "contrasts": int,
        },
        pk="docid",
    )
    db.table("trials").create_index(["posted"])
    db.table("texts").create({"docid": int, **dict.fromkeys(schema.TEXT_COLUMNS, str)}, pk="docid")
    columns = ", ".join(schema.TEXT_COLUMNS)
    db.execute(
        f"CREATE VIRTUAL TABLE fts USING fts5({columns}, content='texts', content_rowid='docid', "
        "prefix='1 2 3 4 5', tokenize=\"unicode61 remove_diacritics 2 tokenchars '='\")"
    )
    old = ", ".join(f"old.{name}" for name in schema.TEXT_COLUMNS)
    new = ", ".join(f"new.{name}" for name in schema.TEXT_COLUMNS)
    db.execute(
        f"CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN "
        f"INSERT INTO fts(rowid, {columns}) VALUES (new.docid, {new}); END"
    )
    db.execute(
        f"CREATE TRIGGER texts_removed AFTER DELETE ON texts BEGIN "
        f"INSERT INTO fts(fts, rowid, {columns}) VALUES ('delete', old.docid, {old}); END"
    )
    db.execute(
        "CREATE TABLE facets (field TEXT NOT NULL, key TEXT NOT NULL, docid INTEGER NOT NULL, value TEXT NOT NULL, "
        "PRIMARY KEY (field, key, docid)) WITHOUT ROWID"
    )
    db.table("facets").create_index(["docid"])


@corpus_migrations()
def m003_retrieval(db: Database) -> None:
    """What anchors are found by: programmes, doses, and one comparable profile a trial."""
    db.execute("CREATE TABLE programmes (key TEXT NOT NULL, docid INTEGER NOT NULL, PRIMARY KEY (key, docid)) WITHOUT ROWID")
    db.table("programmes").create_index(["docid"])
    db.table("doses").create(
        {
            "docid": int,
            "agent": str,
            "amount": float,
            "unit": str,
            "basis": str,
            "times_per_day": float,
            "daily_total": float,
        }
    )
    db.table("doses").create_index(["agent"])
    db.table("doses").create_index(["docid"])
    db.table("profiles").create({"docid": int, "profile": bytes}, pk="docid")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a corpus to the present schema; trials already in it get the derived rows that they lack.

    Raises:
        sqlite3.Error: the file cannot be written; what was not finished is rolled back.
    """
    from deepimagine_tui.corpus.writer import derive_again

    database = Database(connection)
    if corpus_migrations.pending(database):
        corpus_migrations.apply(database)
        with transaction(connection):
            database.table("meta").upsert({"key": "derived", "value": "no"}, pk="key")
    derived = connection.execute("SELECT value FROM meta WHERE key = 'derived'").fetchone()
    if derived is None or derived[0] != "yes":
        with transaction(connection):
            derive_again(database)
            database.table("meta").upsert({"key": "derived", "value": "yes"}, pk="key")
