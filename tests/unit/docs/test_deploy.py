"""What starts signer, read as those would read it who run it: units, an image, containers, proxies."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from signer import settings
from signer.sandbox import walls

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
WALLS = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateUsers": "yes",
    "ProtectProc": "invisible",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "KeyringMode": "private",
    "RemoveIPC": "yes",
    "UMask": "0077",
    "LimitCORE": "0",
    "User": "signer",
    "Group": "signer",
    "EnvironmentFile": "/etc/signer/signer.env",
}
PINNED = re.compile(r"[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}|[a-z0-9./-]+@sha256:[0-9a-f]{64}")
SECRET = re.compile(r"password|secret|token|pin\b|key\b", re.IGNORECASE)


def told(unit: Path) -> dict[str, list[str]]:
    """Return the options of a unit's service, each with all its values."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif "=" in line and not line.startswith("#") and section == "[Service]":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_service_stands_behind_every_wall_and_writes_its_own_folders_alone(unit: Path) -> None:
    options = told(unit)
    assert {name: options.get(name) for name in WALLS} == {name: [value] for name, value in WALLS.items()}
    written = {"/var/lib/signer", "/var/backups/signer"} if unit.stem == "signer-backup" else {"/var/lib/signer"}
    assert set(options["ReadWritePaths"][0].split()) == written
    refused = next(value for value in options["SystemCallFilter"] if value.startswith("~"))
    assert {"@privileged", "@mount", "@debug", "@raw-io", "@module"} <= set(refused[1:].split())


def calls(*names: str) -> set[str]:
    """Return the system calls that names and groups of systemd's stand for."""
    found: set[str] = set()
    for name in names:
        if name.startswith("@"):
            listed = subprocess.run(
                ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
            )
            inner = [line.strip() for line in listed.stdout.splitlines()[1:]]
            found |= calls(*(word for word in inner if word and not word.startswith("#")))
        else:
            found.add(name)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_whatever_a_child_may_ask_of_the_kernel_and_its_walls_need_a_service_may_too() -> None:
    (allowed, refused) = told(UNITS[0])["SystemCallFilter"]
    kept = calls(*allowed.split()) - calls(*refused.removeprefix("~").split())
    built = {"prctl", "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prlimit64"}
    ours = built | walls._ALLOWED.keys() | {"setpriority", "socket", "accept4", "execve", "clone", "wait4", "kill"}
    assert ours - kept == set()


def test_the_web_drains_and_reloads_and_whatever_ends_is_started_again() -> None:
    web, worker = (told(DEPLOY / "systemd" / f"signer-{name}.service") for name in ("web", "worker"))
    assert (web["ExecReload"], web["Type"], web["Restart"]) == (["/bin/kill -HUP $MAINPID"], ["notify"], ["always"])
    assert worker["Restart"] == ["always"]
    assert int(web["TimeoutStopSec"][0]) > 30 < int(worker["TimeoutStopSec"][0])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_reads_the_units_without_a_word_and_finds_little_exposed(tmp_path: Path) -> None:
    """Their programs are not on this machine: a copy names one that is."""
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/signer/current/bin/signer", "/bin/true")
        (tmp_path / unit.name).write_text(text.replace("file:/opt/signer/current", "https://signer.example"))
    units = [str(tmp_path / unit.name) for unit in UNITS] + [str(tmp_path / "signer-backup.timer")]
    read = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in read.stderr.splitlines() if "signer-" in line]
    assert (read.returncode, ours) == (0, []), read.stderr
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", *units[:-1]]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-3000:]


def instructions() -> list[tuple[str, str]]:
    """Return every instruction of the Containerfile: its word, and what follows."""
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    return [(word, rest.strip()) for line in plain.splitlines() if line for word, _, rest in [line.partition(" ")]]


def test_the_image_has_a_pinned_base_no_root_a_health_check_and_no_secret() -> None:
    found = instructions()
    assert all(PINNED.match(rest) for word, rest in found if word == "FROM")
    last = found[max(place for place, (word, _) in enumerate(found) if word == "FROM") :]
    words = [word for word, _ in last]
    assert dict(last)["USER"] == "10001:10001"
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in ("COPY", "VOLUME"))
    assert "RUN" not in words  # the image that runs is only copied together
    assert "/healthz" in dict(last)["HEALTHCHECK"]
    assert json.loads(dict(last)["ENTRYPOINT"]) == ["/opt/signer/current/bin/signer"]
    assert [rest for word, rest in found if word in ("ARG", "ENV") and SECRET.search(rest)] == []
    assert [rest for word, rest in found if word == "ADD" or ("http" in rest and word == "RUN")] == []


def test_the_image_is_laid_down_by_the_installer_that_machines_have() -> None:
    """Which tests run, with these very options: tests/functional/test_offline_install.py."""
    assert [rest for word, rest in instructions() if word == "RUN"] == ["/archive/install --root /laid --uid 10001"]


COMPOSED: dict[str, Any] = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(COMPOSED["services"]))
def test_a_container_is_read_only_bounded_watched_and_can_gain_nothing(name: str) -> None:
    service = COMPOSED["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in ("0", "root")
    assert {"mem_limit", "pids_limit", "cpus", "stop_grace_period"} <= service.keys()
    assert name == "web" or service["healthcheck"]["test"][0] == "CMD"  # the image's own is the web's
    assert service["image"].startswith("signer:") or PINNED.fullmatch(service["image"])
    told = {key: value for key, value in service.get("environment", {}).items() if SECRET.search(key)}
    assert all(key.endswith("_FILE") for key in told), "a secret comes as a file"
    assert set(service.get("secrets", ())) <= COMPOSED["secrets"].keys()


def test_the_register_is_on_a_network_of_its_own_and_only_the_proxy_has_a_port() -> None:
    services = COMPOSED["services"]
    assert services["postgres"]["networks"] == ["back"]
    assert COMPOSED["networks"]["back"] == {"internal": True}
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    trusted = services["web"]["environment"]["SIGNER_TRUSTED_PROXIES"]
    assert trusted == f"{services['proxy']['networks']['front']['ipv4_address']}/32"
    assert services["objects"]["profiles"] == ["objects"]


def test_what_compose_tells_are_settings_of_ours() -> None:
    told = COMPOSED["services"]["web"]["environment"]
    found = settings.load({name: value for name, value in told.items() if name.startswith("SIGNER_")})
    assert found.database_url.startswith("postgresql://signer@")


def test_nginx_has_a_limit_and_a_deadline_for_everything_and_logs_no_address() -> None:
    text = (DEPLOY / "proxies" / "nginx.conf").read_text(encoding="utf-8")
    for name in (
        *("client_max_body_size", "client_header_timeout", "client_body_timeout", "send_timeout", "limit_conn"),
        *("limit_req", "proxy_connect_timeout", "proxy_read_timeout", "proxy_send_timeout", "ssl_protocols"),
    ):
        assert re.search(rf"^\s*{name} ", text, re.MULTILINE), name
    assert "$proxy_add_x_forwarded_for" in text
    (form,) = re.findall(r"log_format signer '([^']+)'", text)
    assert not {"$request", "$request_uri", "$uri", "$args", "$http_referer"} & set(form.split())


def test_caddy_asks_readyz_and_has_limits_and_deadlines() -> None:
    text = (DEPLOY / "proxies" / "Caddyfile").read_text(encoding="utf-8")
    for name in ("health_uri /readyz", "health_status 200", "max_size", "read_header", "read_body", "dial_timeout"):
        assert name in text


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not on this machine")
def test_caddy_reads_its_sample() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "proxies" / "Caddyfile")]
    read = subprocess.run(command, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not on this machine")
def test_nginx_reads_its_sample(tmp_path: Path) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    made = ["-subj", "/CN=x", "-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    subprocess.run([*command, *made], check=True, capture_output=True)
    sample = (DEPLOY / "proxies" / "nginx.conf").read_text(encoding="utf-8")
    (tmp_path / "signer.conf").write_text(
        sample.replace("/etc/signer-tls", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    )
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; events {{}} http {{ access_log off; include {tmp_path}/signer.conf; }}")
    read = subprocess.run(["nginx", "-t", "-p", tmp_path, "-c", whole], capture_output=True, text=True, check=False)
    assert "syntax is ok" in read.stderr, read.stderr  # beyond that it looks for folders of its package
