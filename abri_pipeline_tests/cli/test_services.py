"""What keeps running until it is told to stop: the sandbox, and the UI with its daemon."""

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

from abri_pipeline_tests.cli.conftest import ABRI, Abri, environment


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def test_the_sandbox_says_where_it_is_and_logs_a_line_a_request(home: Path) -> None:
    command = [*ABRI, "sandbox", "--port", "0", "--fault", "sec:status=503"]
    with subprocess.Popen(
        command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        assert "SYNTHETIC" in process.stderr.readline()
        url = process.stderr.readline().strip().removeprefix("export ABRI_UPSTREAM_URL=")
        answer = httpx.get(f"{url}/sec/submissions/CIK0000789019.json", trust_env=False)
        assert (answer.status_code, answer.headers["x-abri-market"]) == (503, "synthetic")
        assert process.stdout.readline() == "GET /sec/submissions/CIK0000789019.json 503\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_up_serves_the_ui_and_takes_all_its_children_along(home: Path) -> None:
    port, upstream = free_port(), free_port()
    command = [*ABRI, "up", "--demo", "--port", str(port), "--sandbox-port", str(upstream), "--json"]
    with subprocess.Popen(
        command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(process.stdout.readline())
            assert lines[-1], process.communicate()[1]
        said = json.loads("".join(lines))
        assert said["synthetic"]
        assert httpx.get(f"{said['ui']}/server_info", trust_env=False).is_success
        assert httpx.get(f"{said['upstream']}/_health", trust_env=False).json()["market"] == "synthetic"
        assert len(living(home)) >= 4  # ourselves, UI, daemon, sandbox
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert time.monotonic() - began < 10
    assert living(home) == []


def living(home: Path) -> list[int]:
    """Every process that lives in this home, by its environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"ABRI_HOME={home}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # it ended while we looked
    return found


def test_an_empty_house_has_a_status_and_a_doctor(abri: Abri, home: Path) -> None:
    assert "nothing is stored yet" in abri("status").stderr
    doctor = abri("doctor", FRED_API_KEY="")
    assert doctor.returncode == 0, doctor.stderr
    assert "key-less CSV" in doctor.stdout
    assert "ABRI_CONTACT is not set" in doctor.stdout
    assert not home.exists()  # looking makes nothing


def test_the_doctor_shows_no_secret(abri: Abri) -> None:
    said = abri("doctor", FRED_API_KEY="canary-0123456789abcdef").stdout
    assert "canary" not in said
    assert "FRED_API_KEY" in said
