"""`abri up`: the Dagster UI and its daemon, and a sandbox where one is wanted."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from abri_pipeline.cli import demo, house
from abri_pipeline.cli.children import Children
from abri_pipeline.cli.errors import DONE, CommandFailed
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import PROJECT_ROOT, Settings

HOST = "127.0.0.1"
READY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Service:
    """What to serve, and where."""

    port: int
    sandbox_port: int
    demo: bool
    data: Path | None
    as_json: bool

    @property
    def sandboxed(self) -> bool:
        """Whether a sandbox stands in for the upstreams."""
        return self.demo or self.data is not None

    @property
    def ui(self) -> str:
        """The address of the UI."""
        return f"http://{HOST}:{self.port}"

    @property
    def upstream(self) -> str:
        """The address of the sandbox."""
        return f"http://{HOST}:{self.sandbox_port}"


def up(service: Service) -> int:
    """Serve until interrupted; returns the exit code.

    Raises:
        PortInUse: before anything is started.
        CommandFailed: a child ended by itself, or the UI did not come up.
    """
    house.refuse_open_bind(Settings.load())
    if service.demo and service.data:
        raise CommandFailed("give --demo or --data, not both: one home holds one market")
    home = demo.environment() if service.demo else Settings.load().home
    _free(service)
    if service.data:
        from abri_pipeline.cli.sandbox import market_of

        market_of(service.data.resolve())
    if service.sandboxed:
        os.environ["ABRI_UPSTREAM_URL"] = service.upstream
    _prepare()
    with _interruptible(), Children(home / "logs") as children:
        try:
            _serve(service, children)
        except CommandFailed:
            for child in children.dead():
                terminal().note(child.last_lines())
            raise
        except KeyboardInterrupt:
            terminal().note("stopping")
    return DONE


def _free(service: Service) -> None:
    """See that the ports are free.

    Raises:
        PortInUse: one is not; the message names it.
    """
    from abri_pipeline.sandbox.server import listening

    listening(service.port).close()
    if service.sandboxed:
        listening(service.sandbox_port).close()


def _prepare() -> None:
    """Bring warehouse and Dagster storage to this version before two processes could race to do it."""
    settings = Settings.load()
    home = house.writable_home(settings)
    house.open_warehouse(settings).dispose()
    with house.dagster_instance(home):
        pass


def _serve(service: Service, children: Children) -> None:
    environment, folder = dict(os.environ), PROJECT_ROOT
    bin_folder = Path(sys.executable).parent
    if service.sandboxed:
        data = ["--data", str(service.data.resolve())] if service.data else []
        command = [sys.executable, "-m", "abri_pipeline.cli", "sandbox", "--port", str(service.sandbox_port), *data]
        children.start("sandbox", command, environment, folder)
    workspace = ["-w", str(folder / "workspace.yaml")]
    address = ["-h", HOST, "-p", str(service.port)]
    children.start("webserver", [str(bin_folder / "dagster-webserver"), *address, *workspace], environment, folder)
    children.start("daemon", [str(bin_folder / "dagster-daemon"), "run", *workspace], environment, folder)
    _await_ui(service, children)
    _announce(service)
    while True:
        children.check()
        children.pause(0.5)


def _await_ui(service: Service, children: Children) -> None:
    """Wait until the UI answers.

    Raises:
        CommandFailed: it did not in time, or a child ended.
    """
    import httpx

    left = READY_SECONDS
    while left > 0:
        children.check()
        try:
            if httpx.get(f"{service.ui}/server_info", timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass  # not yet
        children.pause(0.3)
        left -= 0.3
    raise CommandFailed(f"the UI did not answer within {READY_SECONDS:.0f} s; see the logs in the home")


def _announce(service: Service) -> None:
    settings = Settings.load()
    synthetic = service.sandboxed and service.data is None
    if service.as_json:
        document = {"ui": service.ui, "upstream": settings.upstream_url, "home": settings.home, "synthetic": synthetic}
        terminal().document(document)
        return
    terminal().show(f"Dagster UI: {service.ui}", f"Home: {settings.home} (logs in logs/)")
    if service.sandboxed:
        what = f"the recorded market of {service.data}" if service.data else "a SYNTHETIC market"
        terminal().show(f"Sandbox: {service.upstream}, {what}")
    terminal().show("UI and daemon run; a backfill started in the UI begins within 30 s. Stop with Ctrl-C.")


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the service as Ctrl-C does; a second signal while stopping changes nothing."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
