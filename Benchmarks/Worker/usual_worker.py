#!/usr/bin/env python3
"""The usual media worker, which `Benchmarks worker` compares with: each job is a download into a temporary file, the
ffmpeg command, and an upload.

    usual_worker.py queue --database URL …   takes jobs from a table, looking every half second, until SIGTERM
    usual_worker.py list --jobs FILE …       goes through the jobs of a file, one JSON object a line, and ends

A job is {"kind": "burn", "input": KEY, "subtitles": KEY, "output": KEY}, or {"kind": "audio", "input": KEY, "output": KEY}.
Slots are threads, which wait for ffmpeg and for the network most of the time; each keeps one connection to the store and,
with a queue, one to the database. Objects go by plain HTTP without signatures and digests.
"""

import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

ATTEMPTS = 3
CHUNK = 1 << 18


class Store:
    """Objects of a bucket. Each thread has a connection of its own, which is kept."""

    def __init__(self, endpoint, bucket):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.bucket = bucket
        self.local = threading.local()

    def download(self, key, path):
        response = self._send("GET", key)
        with open(path, "wb") as file:
            shutil.copyfileobj(response, file, CHUNK)

    def upload(self, path, key):
        with open(path, "rb") as file:
            self._send("PUT", key, file, {"Content-Length": str(os.path.getsize(path))}).read()

    def _send(self, method, key, body=None, headers={}):
        place = f"/{self.bucket}/{urllib.parse.quote(key)}"
        for is_last in (False, True):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self.host, timeout=60, blocksize=CHUNK)
                self.local.connection = connection
            try:
                if body is not None:
                    body.seek(0)
                connection.request(method, place, body, headers)
                response = connection.getresponse()
                break
            except (ConnectionError, http.client.HTTPException):
                # The server may have closed a connection that was not used for a while.
                connection.close()
                self.local.connection = None
                if is_last:
                    raise
        if response.status >= 300:
            text = response.read(500).decode(errors="replace")
            raise RuntimeError(f"{method} {key}: status {response.status}: {text}")
        return response


class Work:
    """Carries out jobs by the ffmpeg command. Its threads are left to it."""

    def __init__(self, store, ffmpeg):
        self.store = store
        self.ffmpeg = ffmpeg

    def run(self, job):
        with tempfile.TemporaryDirectory(prefix="job-") as folder:
            source = os.path.join(folder, "input" + os.path.splitext(job["input"])[1])
            made = os.path.join(folder, "output" + os.path.splitext(job["output"])[1])
            self.store.download(job["input"], source)
            if job["kind"] == "burn":
                subtitles = os.path.join(folder, "subtitles.ass")
                self.store.download(job["subtitles"], subtitles)
                options = ["-vf", f"ass=filename={subtitles}", "-sn", "-dn", "-fps_mode", "vfr"]
                options += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-c:a", "copy"]
                options += ["-movflags", "+faststart"]
            else:
                options = ["-vn", "-sn", "-dn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le"]
            command = [self.ffmpeg, "-nostdin", "-v", "error", "-y", "-i", source, *options, made]
            ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if ended.returncode != 0:
                raise RuntimeError(f"ffmpeg ended with {ended.returncode}: {ended.stderr[-500:].decode(errors='replace')}")
            self.store.upload(made, job["output"])


class Queue:
    """The table of jobs. `psycopg` is needed by nothing else."""

    def __init__(self, database):
        import psycopg

        self.connect = lambda: psycopg.connect(database, autocommit=True)
        self.local = threading.local()

    def fetch(self, count):
        """Takes up to `count` jobs, the oldest first."""
        return self._execute(
            """
            UPDATE usual_job SET state = 'running', started_at = clock_timestamp(), attempts = attempts + 1
            WHERE id IN (SELECT id FROM usual_job WHERE state = 'waiting' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING id, payload
            """,
            (count,),
        ).fetchall()

    def finish(self, id):
        self._execute("UPDATE usual_job SET state = 'done', finished_at = clock_timestamp() WHERE id = %s", (id,))

    def fail(self, id, error):
        self._execute(
            """
            UPDATE usual_job SET state = CASE WHEN attempts < %s THEN 'waiting' ELSE 'failed' END,
                finished_at = clock_timestamp(), error = %s WHERE id = %s
            """,
            (ATTEMPTS, error, id),
        )

    def _execute(self, statement, values):
        if not hasattr(self.local, "connection"):
            self.local.connection = self.connect()
        return self.local.connection.execute(statement, values)


def work_off_queue(work, options):
    queue = Queue(options.database)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    lock = threading.Lock()
    free = options.slots

    def run(id, job):
        nonlocal free
        try:
            work.run(job)
            queue.finish(id)
        except Exception as error:
            print(f"job {id}: {error}", file=sys.stderr)
            queue.fail(id, str(error))
        finally:
            with lock:
                free += 1

    with ThreadPoolExecutor(options.slots) as pool:
        while not stopping.is_set():
            with lock:
                count = free
            if count > 0:
                jobs = queue.fetch(count)
                with lock:
                    free -= len(jobs)
                for id, job in jobs:
                    pool.submit(run, id, job)
            stopping.wait(options.poll)


def work_off_list(work, options):
    with open(options.jobs) as file:
        jobs = [json.loads(line) for line in file]
    failed = 0
    with ThreadPoolExecutor(options.slots) as pool:
        for job, future in [(job, pool.submit(work.run, job)) for job in jobs]:
            if error := future.exception():
                print(f"{job['output']}: {error}", file=sys.stderr)
                failed += 1
    # When the last had ended: what Python needs to end itself is not theirs.
    print(time.time())
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["queue", "list"])
    parser.add_argument("--database", help="connection string; with queue")
    parser.add_argument("--poll", type=float, default=0.5, help="seconds between two looks; with queue")
    parser.add_argument("--jobs", help="file of jobs; with list")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--ffmpeg", default="ffmpeg")
    parser.add_argument("--slots", type=int, default=4)
    options = parser.parse_args()
    work = Work(Store(options.endpoint, options.bucket), options.ffmpeg)
    return (work_off_queue if options.mode == "queue" else work_off_list)(work, options)


if __name__ == "__main__":
    sys.exit(main())
