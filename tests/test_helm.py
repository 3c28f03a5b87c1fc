"""deploy/helm/ward: what it names exists, its values fit its schema; where there is Helm, what it renders."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from typer.main import get_command

from tests.parts import helm
from ward import __version__
from ward.cli import app
from ward.config import Settings, load_settings
from ward.notify.config import Parts, load_channels
from ward.partitions import MOST, numbers

CHART = Path(__file__).parent.parent / "deploy" / "helm" / "ward"
TEMPLATES = {path.name: path.read_text() for path in (CHART / "templates").iterdir()}
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = yaml.safe_load((CHART / "values.schema.json").read_text())
SECRETS = {
    "WARD_DATABASE_URL": "postgresql://ward:secret@postgres/ward",
    "WARD_CLUSTER_SECRET": "only-the-cluster-knows",
    "WARD_MQTT_URL": "mqtt://ward:secret@nats:1883?protocol=3.1.1",
    "WARD_JOURNAL_URL": "nats://ward:secret@nats:4222",
}
VARIANTS = {
    "plain": (),
    "everything": (
        "ingress.enabled=true",
        "serviceMonitor.enabled=true",
        "channelsSecret=channels",
        "plan=timezone = 'Europe/Zurich'",
        "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=monitoring",
        "imagePullSecrets[0].name=registry",
        "nodeSelector.disk=fast",
        "tolerations[0].key=ward",
        "work.replicas=2",
    ),
    "engines send": ("notify.replicas=0", "channelsSecret=channels"),
    "one partition each": (
        "partitions=3",
        "engines.members[0].name=a,engines.members[0].partitions=0\\,2",
        "engines.members[1].name=b,engines.members[1].partitions=1-1",
    ),
}
Json = dict[str, Any]


# Without Helm


def test_the_chart_is_of_this_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["apiVersion"], chart["name"], chart["type"]) == ("v2", "ward", "application")
    assert chart["appVersion"] == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", chart["version"])


def test_its_values_fit_its_schema():
    Draft7Validator.check_schema(SCHEMA)
    assert not list(Draft7Validator(SCHEMA).iter_errors(VALUES))
    assert SCHEMA["properties"]["partitions"]["maximum"] == MOST


def paths(values: Json, before: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{before}{name}"
        if isinstance(value, dict):
            yield from paths(value, f"{before}{name}.")


def schema_paths(schema: Json, before: str = "") -> Iterator[str]:
    for name, one in schema.get("properties", {}).items():
        yield f"{before}{name}"
        yield from schema_paths(one, f"{before}{name}.")


def test_values_templates_and_schema_know_the_same_names():
    used = {name for text in TEMPLATES.values() for name in re.findall(r"\.Values\.([A-Za-z.]+)", text)}
    known = set(paths(VALUES))
    assert used <= known
    told = set(schema_paths(SCHEMA)) - {"global"}  # Helm's own
    assert told <= known
    open_ended = ("settings.", "resources.", "annotations.")
    assert {one for one in known - told if not any(part in f"{one}." for part in open_ended)} == set()
    leaves = {one for one in told if not any(other.startswith(f"{one}.") for other in told)}
    assert {one for one in leaves if not any(one == u or one.startswith(f"{u}.") for u in used)} == set()


def test_settings_that_it_names_exist():
    refused = set(SCHEMA["properties"]["settings"]["propertyNames"]["not"]["enum"])
    named = {name for text in TEMPLATES.values() for name in re.findall(r"\b(WARD_[A-Z_]+)\b", text)}
    named |= refused | set(VALUES["settings"]) | set(SECRETS)
    named |= set(re.findall(r"WARD_[A-Z_]+", (CHART / "values.yaml").read_text()))
    assert named - {"WARD_PORT"} <= {f"WARD_{name.upper()}" for name in Settings.model_fields}
    assert not refused & set(VALUES["settings"])


def test_every_partition_has_an_engine_and_one_in_reserve():
    members = VALUES["engines"]["members"]
    for which in ("partitions", "standby"):
        found = [n for member in members for n in numbers(member[which], VALUES["partitions"])]
        assert sorted(found) == list(range(VALUES["partitions"]))


def test_the_channels_file_is_taken_as_the_chart_copies_it(tmp_path):
    given, copied = tmp_path / "given.toml", tmp_path / "channels.toml"
    given.write_text('[channels.lamp]\nkind = "mqtt"\n')
    given.chmod(0o440)  # as a secret is mounted
    (command,) = re.findall(r"command: \[(.*)\]", TEMPLATES["_helpers.tpl"])
    words = [word.strip(' "') for word in command.split(",")]
    places = {"/secret/channels.toml": str(given), "/run/ward/channels.toml": str(copied)}
    subprocess.run([places.get(word, word) for word in words], check=True)
    assert "lamp" in load_channels(copied, Parts())


# With Helm


@functools.cache
def rendered(*given: str) -> list[Json]:
    done = run("template", "ward", str(CHART), *[word for one in given for word in ("--set", one)])
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = helm()
    if program is None:
        pytest.skip("needs Helm: helm 3 on PATH, or WARD_TEST_HELM=FILE")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def of_kind(found: list[Json], *kinds: str) -> list[Json]:
    return [one for one in found if one["kind"] in kinds]


def pods(found: list[Json]) -> dict[str, Json]:
    return {
        one["metadata"]["name"]: one["spec"]["template"]
        for one in of_kind(found, "Deployment", "StatefulSet")
    }


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS.keys())
def found(request) -> list[Json]:
    return rendered(*request.param)


def test_helm_has_nothing_against_it():
    done = run("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("partitions=1", "partitions"),
        ("partitions=9", "partition 8: no engine has it"),
        ("partitions=7", "each once"),
        ("secret=", "secret"),
        ("web.replica=3", "replica"),
        ("settings.WARD_NOTIFY=engine", "settings"),
        ("settings.ward=1", "settings"),
    ],
)
def test_what_cannot_be_is_refused(given, said):
    done = run("template", "ward", str(CHART), "--set", given)
    assert done.returncode != 0
    assert said in done.stderr


def test_nothing_runs_as_root_or_writes_where_it_should_not(found):
    for pod in pods(found).values():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert not spec["automountServiceAccountToken"]
        for container in (*spec["containers"], *spec.get("initContainers", ())):
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"]
            assert not own["allowPrivilegeEscalation"]
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]
            volumes = {volume["name"] for volume in spec["volumes"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_probes_ask_what_is_there(found):
    asked_nothing = {name: pod for name, pod in pods(found).items() if name == "ward-work"}
    assert not any("ports" in pod["spec"]["containers"][0] for pod in asked_nothing.values())
    for name, pod in pods(found).items():
        if name in asked_nothing:
            continue
        (container,) = pod["spec"]["containers"]
        ports = {port["name"] for port in container["ports"]}
        asked = {each: container[f"{each}Probe"]["httpGet"] for each in ("startup", "liveness", "readiness")}
        assert {one["port"] for one in asked.values()} <= ports
        ready = "/readyz" if name.endswith("-notify") else "/healthz"
        assert [one["path"] for one in asked.values()] == ["/healthz", "/healthz", ready]


def test_commands_and_their_options_exist(found):
    commands = get_command(app).commands
    for pod in pods(found).values():
        name, *rest = pod["spec"]["containers"][0]["args"]
        known = {option for one in commands[name].params for option in one.opts}
        assert {word for word in rest if word.startswith("--")} <= known


def test_the_environment_is_one_that_ward_takes(found):
    (common,) = [one["data"] for one in of_kind(found, "ConfigMap") if one["metadata"]["name"] == "ward"]
    for name, pod in pods(found).items():
        (container,) = pod["spec"]["containers"]
        more = {one["name"]: one.get("value", "") for one in container.get("env", ())}
        settings, _ = load_settings(environ={**common, **SECRETS, **more})
        assert settings.cluster_secret
        sends = {"ward-notify"} if settings.notify == "elsewhere" else {"ward-engine-a", "ward-engine-b"}
        has_file = "channels" in {volume["name"] for volume in pod["spec"]["volumes"]}
        assert (settings.channels_file is not None) == has_file
        assert not has_file or name in sends | {"ward-web"}
        assert ("WARD_ENGINE_HOST" in more) == name.startswith("ward-engine")


def test_every_partition_is_somebody_s(found):
    (common,) = [one["data"] for one in of_kind(found, "ConfigMap") if one["metadata"]["name"] == "ward"]
    of, watched = int(common["WARD_PARTITIONS"]), []
    for pod in pods(found).values():
        (container,) = pod["spec"]["containers"]
        if container["args"][0] == "engine":
            given = dict(zip(container["args"][1::2], container["args"][2::2], strict=True))
            watched += numbers(given["--partitions"], of)
            assert [port["containerPort"] for port in container["ports"]] == [8080 + n for n in range(of)]
    assert sorted(watched) == list(range(of))


def selects(selector: Json, labels: Json) -> bool:
    fits = selector.get("matchLabels", {}).items() <= labels.items()
    return fits and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ())
    )


def test_selectors_find_what_they_should(found):
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(found).items()}
    for one in of_kind(found, "Deployment", "StatefulSet"):
        mine = one["metadata"]["name"]
        assert [n for n, own in labels.items() if selects(one["spec"]["selector"], own)] == [mine]
    for one in of_kind(found, "Service"):
        role = one["metadata"]["labels"]["app.kubernetes.io/component"]
        chosen = [n for n, own in labels.items() if one["spec"]["selector"].items() <= own.items()]
        assert chosen == [n for n in labels if role in n]
        named = {p["name"] for n in chosen for p in pods(found)[n]["spec"]["containers"][0]["ports"]}
        numbered = {
            p["containerPort"] for n in chosen for p in pods(found)[n]["spec"]["containers"][0]["ports"]
        }
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= named | numbered
    for one in of_kind(found, "PodDisruptionBudget"):
        assert any(selects(one["spec"]["selector"], own) for own in labels.values())


def test_only_the_cluster_reaches_its_engines(found):
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(found).items()}
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(found, "NetworkPolicy")}
    engine = policies["ward-engine"]
    assert {n for n, own in labels.items() if selects(engine["podSelector"], own)} == {
        n for n in labels if "engine" in n
    }
    (rule,) = engine["ingress"]
    inside = rule["from"][0]["podSelector"]
    assert {n for n, own in labels.items() if selects(inside, own)} == {
        n for n in labels if n.endswith(("-web", "-notify"))
    }
    (ports,) = rule["ports"]
    pod = next(pod for name, pod in pods(found).items() if "engine" in name)
    numbered = [port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]]
    assert (ports["port"], ports["endPort"]) == (numbered[0], numbered[-1])
    has_way_out = "Egress" not in engine["policyTypes"]
    assert has_way_out == ("ward-notify" not in labels)


def test_prometheus_asks_every_port():
    everything = rendered(*VARIANTS["everything"])
    (monitor,) = of_kind(everything, "ServiceMonitor")
    asked = {one["port"] for one in monitor["spec"]["endpoints"]}
    assert asked == {port["name"] for one in of_kind(everything, "Service") for port in one["spec"]["ports"]}
    assert {one["path"] for one in monitor["spec"]["endpoints"]} == {"/metrics"}
    (ingress,) = of_kind(everything, "Ingress")
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert (backend["name"], backend["port"]["name"]) == ("ward-web", "http")
