"""`vcd serve`."""

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from vcd.cli.options import DEFAULT_LIBRARY, ConfigOption, LibraryOption, QuietOption, WorkersOption
from vcd.cli.streams import tell

HostOption = Annotated[str, typer.Option("--host", help="Address to listen on; others than loopback need keys.")]
PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Jobs and uploads; default: beside the library, NAME.serve."),
]
RootOption = Annotated[
    Path | None, typer.Option("--root", metavar="DIR", help="Media that may be added by their path lie in here.")
]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="TOML file with the service's keys and limits.")
]


def serve(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    library: LibraryOption = DEFAULT_LIBRARY,
    data: DataOption = None,
    root: RootOption = None,
    settings: SettingsOption = None,
    workers: WorkersOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Answer queries over HTTP, with a page to drop clips on; ends with Ctrl+C.

    Keys are read from the settings (read_keys, admin_keys) and from VCD_READ_KEYS and VCD_ADMIN_KEYS, by commas.
    """
    from vcd.cli.screen import set_up
    from vcd.config import load_config
    from vcd.library.catalog import require_catalog

    set_up(quiet)
    chosen = load_config(config)
    require_catalog(library)
    _require_extra()
    from vcd.serve.run import serve as run
    from vcd.serve.settings import load_settings

    limits = load_settings(settings, os.environ.get("VCD_READ_KEYS", ""), os.environ.get("VCD_ADMIN_KEYS", ""))
    home = data or library.absolute().with_name(f"{library.absolute().name}.serve")
    run(
        library, chosen, limits, host=host, port=port, data=home, root=root, workers=workers,
        ready=lambda address: tell(f"vcd: serving {library} at {address} (Ctrl+C ends it)"),
    )  # fmt: skip


def _require_extra() -> None:
    """Raises `MissingExtra` when something that the service needs is not installed."""
    from vcd.errors import MissingExtra

    for package in ("fastapi", "prometheus_client", "python_multipart", "uvicorn"):
        try:
            import_module(package)
        except ImportError as error:
            raise MissingExtra(package, "serve") from error
