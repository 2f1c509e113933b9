"""Sends the API whatever its OpenAPI document allows and forbids, and fails at the first answer that is a fault.

    check-openapi.py BASE JOB

JOB is the id of a job that is there. Needs schemathesis (PyPI) beside this Python.
"""

import os
import subprocess
import sys

base, job = sys.argv[1:3]
program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
command = [
    program, "run", f"{base}/openapi.json", "--no-color", "--url", base, "--checks", "not_a_server_error",
    "--phases", "examples,coverage,fuzzing", "--max-examples", os.environ.get("KILN_SCHEMATHESIS_EXAMPLES", "15"),
    "--seed", "1", "--request-timeout", "20", "--suppress-health-check", "all",
    # Its stream goes on for as long as the job does not end.
    "--exclude-path", "/v1/jobs/{id}/events",
]
sys.exit(subprocess.run(command, stdin=subprocess.DEVNULL).returncode)
