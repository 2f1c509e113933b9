"""Reads the files of deployment for deploy/check.

    checks.py names                              environment names against docs/configuration.md
    checks.py yaml [RENDERED …]                  parses YAML; Kubernetes objects against their schemas
    checks.py packages STAGE                     what a stage of the Dockerfile installs by name
    checks.py steps STAGE                        its steps: ENV, RUN, COPY, USER, …; NUL-separated keyword and text
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KUBERNETES = ROOT / "deploy/kubernetes"
# Versions of Kubernetes whose schemas are asked: the oldest and the newest that the validator has of these.
VERSIONS = ("1.29", "1.31", "1.33", "1.35")

problems = []


def problem(text):
    problems.append(text)
    print(f"WRONG  {text}", file=sys.stderr)


def relative(path):
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


# ---- Names of the environment

# Names of others: Docker's and Postgres', what docs and examples show of other systems, and fields in capitals.
FOREIGN = re.compile(
    r"POSTGRES_\w+|PG[A-Z]+|REDIS_URL|SWIFT_VERSION|NET_BIND_SERVICE|AWS_CONTAINER_\w+|SIGTERM|ALL_\w+"
    r"|ACCESS_KEY|SECRET_KEY|FARGATE_SPOT|X86_64"
)
NAME = re.compile(r"(?<![\w$.-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
# Defaults that docs/configuration.md describes rather than states.
DESCRIBED = {"required", "none", "unset", "all", "any", "AWS", "host:process"}


def documented():
    """Name → (the row's first name, its default or None where it is described)."""
    names = {}
    row = re.compile(r"\| ((?:`[A-Z0-9_]+`(?:, )?)+) \| `[^`]+` \| (.*?) \|")
    for line in (ROOT / "docs/configuration.md").read_text().splitlines():
        if match := row.match(line):
            own = re.findall(r"`([^`]+)`", match[1])
            stated = re.fullmatch(r"`([^`]*)`", match[2])
            default = stated[1] if stated and stated[1] not in DESCRIBED else None
            names.update({name: (own[0], default) for name in own})
    return names


def check_names():
    known = documented()
    files = [ROOT / "Dockerfile", ROOT / ".env.example", ROOT / "docs/deployment.md"]
    files += [path for path in sorted((ROOT / "deploy").rglob("*")) if path.suffix in (".yaml", ".tf", ".md", ".sql")]
    for path in files:
        if not path.exists():
            problem(f"{relative(path)} is not there")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for name in NAME.findall(line):
                if name not in known and not FOREIGN.fullmatch(name):
                    problem(f"{relative(path)}:{number}: {name} is not in docs/configuration.md")

    # .env.example names every setting, with the default that the documentation has.
    example = {}
    described = False
    for line in (ROOT / ".env.example").read_text().splitlines():
        if match := re.fullmatch(r"(#?)([A-Z][A-Z0-9_]*)=(.*)", line):
            example.setdefault(match[2], []).append((match[1] == "#" and not described, match[3]))
        described = "(default:" in line
    for first in sorted({first for first, _ in known.values()} - set(example)):
        problem(f".env.example: {first} is missing")
    for name, entries in example.items():
        default = known.get(name, (None, None))[1]
        for is_default, value in entries:
            if is_default and default is not None and value != default:
                problem(f".env.example: {name}={value}, but its default is {default}")
    print(f"ok     {len(known)} names of settings, {len(files)} files")


# ---- YAML


def documents(path):
    import yaml

    class Strict(yaml.SafeLoader):
        """A key that stands twice is a mistake."""

        def construct_mapping(self, node, deep=False):
            keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
            for key in {key for key in keys if keys.count(key) > 1}:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
            return super().construct_mapping(node, deep)

    try:
        with path.open() as file:
            return [document for document in yaml.load_all(file, Strict) if document is not None]
    except yaml.YAMLError as error:
        problem(f"{relative(path)}: {error}")
        return []


def check_compose():
    path = ROOT / "deploy/compose.yaml"
    for compose in documents(path):
        services = compose["services"]
        volumes = set(compose.get("volumes") or {})
        for name, service in services.items():
            for other in service.get("depends_on", {}):
                condition = service["depends_on"][other]["condition"]
                if other not in services:
                    problem(f"compose: {name} depends on {other}, which is no service")
                elif condition == "service_healthy" and not services[other].get("healthcheck"):
                    problem(f"compose: {name} waits for the health of {other}, which has no check")
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if not source.startswith((".", "/")) and source not in volumes:
                    problem(f"compose: {name} mounts {source}, which is no volume")
            grace = (service.get("environment") or {}).get("SHUTDOWN_GRACE")
            if grace and seconds(service.get("stop_grace_period", "10s")) <= seconds(grace):
                problem(f"compose: {name} is killed before SHUTDOWN_GRACE is over")
        print(f"ok     compose: {', '.join(services)}")


def seconds(text):
    unit = {"s": 1, "m": 60, "h": 3600}
    return sum(int(amount) * unit[name or "s"] for amount, name in re.findall(r"(\d+)([smh]?)", str(text)))


def check_kubernetes(rendered):
    sources = sorted(KUBERNETES.rglob("*.yaml"))
    objects = [(path, entry) for path in [*sources, *rendered] for entry in documents(path)]
    try:
        import kubernetes_validate as validator
    except ImportError:
        validator = None
        print("left   no kubernetes-validate from PyPI: schemas of Kubernetes objects were not asked")
    checked, foreign = 0, set()
    for path, entry in objects:
        where = f"{relative(path)}: {entry.get('kind')} {entry.get('metadata', {}).get('name')}"
        if entry.get("apiVersion", "").startswith(("keda.sh/", "kustomize.config.k8s.io/")):
            foreign.add(entry["kind"])
            continue
        if validator:
            # A patch is a part of an object, and is checked as what it makes.
            for version in VERSIONS:
                try:
                    validator.validate(entry, version, strict=True)
                    checked += 1
                except (validator.ValidationError, validator.SchemaNotFoundError, validator.InvalidSchemaError) as error:
                    problem(f"{where}: Kubernetes {version}: {getattr(error, 'message', error)}")
    check_references([entry for _, entry in objects])
    if validator:
        print(f"ok     kubernetes: {checked} checks by the schemas of {', '.join(VERSIONS)}, unknown keys refused")
    print(f"left   no schema for: {', '.join(sorted(foreign))}")


def check_references(objects):
    """What the schemas do not see: names that must exist, selectors that must match, times that must fit."""
    named = {(entry["kind"], entry["metadata"]["name"]) for entry in objects if "metadata" in entry}
    settings = {
        entry["metadata"]["name"]: entry.get("data", {}) for entry in objects if entry["kind"] == "ConfigMap"
    }
    labels = [
        entry["spec"]["template"]["metadata"]["labels"] for entry in objects if entry["kind"] in ("Deployment", "Job")
    ]
    for entry in objects:
        kind, name = entry["kind"], entry.get("metadata", {}).get("name")
        spec = entry.get("spec", {})
        selector = spec.get("selector", {})
        selector = selector.get("matchLabels", selector) if isinstance(selector, dict) else {}
        if selector and not any(selector.items() <= own.items() for own in labels):
            problem(f"{kind} {name}: no pod has the labels {selector}")
        if target := spec.get("scaleTargetRef"):
            if ("Deployment", target["name"]) not in named:
                problem(f"{kind} {name}: there is no Deployment {target['name']}")
        if kind not in ("Deployment", "Job"):
            continue
        pod = spec["template"]["spec"]
        account = pod.get("serviceAccountName")
        if account and ("ServiceAccount", account) not in named:
            problem(f"{kind} {name}: there is no ServiceAccount {account}")
        for container in pod["containers"]:
            values = {}
            for source in container.get("envFrom", []):
                for key, wanted in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                    if key in source and (wanted, source[key]["name"]) not in named:
                        problem(f"{kind} {name}: there is no {wanted} {source[key]['name']}")
                values.update(settings.get(source.get("configMapRef", {}).get("name"), {}))
            for variable in container.get("env", []):
                values[variable["name"]] = variable.get("value")
                secret = variable.get("valueFrom", {}).get("secretKeyRef")
                if secret and ("Secret", secret["name"]) not in named:
                    problem(f"{kind} {name}: there is no Secret {secret['name']}")
            grace = values.get("SHUTDOWN_GRACE")
            if grace and pod.get("terminationGracePeriodSeconds", 30) <= seconds(grace):
                problem(f"{kind} {name}: pods are killed before SHUTDOWN_GRACE, {grace}, is over")


# ---- The Dockerfile


def stages():
    """Stage → list of (keyword, text), with continued lines joined, comments and flags of RUN dropped."""
    result, stage, pending = {}, None, ""
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.lstrip().startswith("#") or (not line.strip() and not pending):
            continue
        pending += line.rstrip()
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        keyword, _, text = pending.strip().partition(" ")
        pending, text = "", text.strip()
        if keyword == "FROM":
            stage = text.split()[-1]
            result[stage] = []
        if keyword == "RUN":
            text = re.sub(r"^(--\w+=\S+\s+)+", "", text)
        if stage:
            result[stage].append((keyword, re.sub(r"\s{2,}", " ", text)))
    return result


def packages(stage):
    found = []
    for keyword, text in stages()[stage]:
        if keyword == "RUN":
            for part in re.findall(r"apt-get install ((?:(?!&&).)*)", text):
                found += [word for word in re.sub(r"\$\(.*?\)", "", part).split() if not word.startswith("-")]
    return found


def main():
    command, *arguments = sys.argv[1:] or [""]
    if command == "names":
        check_names()
    elif command == "yaml":
        check_compose()
        check_kubernetes([pathlib.Path(argument) for argument in arguments])
    elif command == "packages":
        print("\n".join(packages(arguments[0])))
    elif command == "steps":
        for keyword, text in stages()[arguments[0]]:
            # The form of a list is written as the shell's, which has no quoting to do in ours.
            if keyword in ("CMD", "ENTRYPOINT") and text.startswith("["):
                text = " ".join(json.loads(text))
            sys.stdout.write(f"{keyword}\0{text}\0")
    else:
        print(__doc__, file=sys.stderr)
        return 64
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
