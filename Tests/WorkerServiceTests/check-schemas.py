"""Says by the reference implementation which documents are valid by their schemas.

Reads {"schemas": {kind: schema}, "documents": [{"kind", "json"}]} from the file that is its argument, and prints a list of
booleans. A schema that is none ends it.
"""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    question = json.load(file)
validators = {}
for kind, schema in question["schemas"].items():
    jsonschema.Draft202012Validator.check_schema(schema)
    validators[kind] = jsonschema.Draft202012Validator(schema)
print(json.dumps([validators[d["kind"]].is_valid(json.loads(d["json"])) for d in question["documents"]]))
