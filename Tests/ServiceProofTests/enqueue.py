"""Enqueues as an app in Python does: in its own transaction, with psycopg.

Reads {"kind", "payload"} on standard input and DATABASE_URL from the environment. Prints the ids of the job that was
enqueued and of one whose transaction was rolled back.
"""

import json
import os
import sys

import psycopg
from psycopg.types.json import Jsonb

job = json.load(sys.stdin)


def enqueue(connection):
    row = connection.execute("SELECT kiln.enqueue(%s, %s)", (job["kind"], Jsonb(job["payload"]))).fetchone()
    return str(row[0])


with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    with connection.transaction():
        undone = enqueue(connection)
        raise psycopg.Rollback
    with connection.transaction():
        connection.execute("CREATE TEMPORARY TABLE film (id integer, job uuid)")
        kept = enqueue(connection)
        connection.execute("INSERT INTO film VALUES (1, %s)", (kept,))
print(json.dumps({"kept": kept, "undone": undone}))
