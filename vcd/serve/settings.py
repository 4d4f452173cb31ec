"""Settings of the service: keys and limits, from a TOML file."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from vcd.config import Within, fill, read_toml
from vcd.errors import ConfigError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
KEY = re.compile(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]{16,200}")
"""What may stand in a header and a cookie, and is long enough not to be guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Who may do what, and how much at once."""

    read_keys: tuple[str, ...] = ()
    """Keys that may query and look. Without any key everybody may do everything, from this machine only."""
    admin_keys: tuple[str, ...] = ()
    """Keys that may also add and remove references."""
    hosts: tuple[str, ...] = ()
    """Names that the service answers to; empty: any, or those of loopback when there are no keys."""
    max_upload_mb: Annotated[int, Within(1, 10_000_000)] = 2_000
    """Larger uploads are refused."""
    upload_timeout_s: Annotated[float, Within(0.1, 86_400)] = 900.0
    """An upload that takes longer is given up."""
    max_uploads: Annotated[int, Within(1, 10_000)] = 16
    """Uploads at once."""
    max_queued: Annotated[int, Within(1, 1_000_000)] = 200
    """Jobs that may wait; more are refused until some are done."""
    time_limit_s: Annotated[float, Within(1, 86_400)] = 900.0
    """Reading a file takes at most so long in a worker process."""
    long_mb: Annotated[int, Within(1, 10_000_000)] = 100
    """Larger queries never take up all workers, so that small ones need not wait for them."""
    wait_s: Annotated[float, Within(0, 600)] = 15.0
    """How long a request for a query waits for the answer, before it gets the job's address instead."""
    gate_wait_s: Annotated[float, Within(0, 3600)] = 120.0
    """The same for the upload gate."""
    retention_s: Annotated[float, Within(1, 1e9)] = 86_400.0
    """Jobs that are done, with their answers and uploaded queries, are deleted after this time."""
    min_free_mb: Annotated[int, Within(0, 10**12)] = 500
    """Uploads are refused when they would leave less room on the disk."""

    @property
    def has_keys(self) -> bool:
        return bool(self.read_keys or self.admin_keys)

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_mb * 1_000_000


def load_settings(file: Path | None, read_keys: str = "", admin_keys: str = "") -> ServeSettings:
    """Settings of a TOML file, with keys (by commas) put to its own; raises `ConfigError`."""
    settings = fill(ServeSettings(), read_toml(file), str(file)) if file else ServeSettings()
    settings = replace(
        settings,
        read_keys=(*settings.read_keys, *_split(read_keys)),
        admin_keys=(*settings.admin_keys, *_split(admin_keys)),
    )
    if any(not KEY.fullmatch(key) for key in (*settings.read_keys, *settings.admin_keys)):
        raise ConfigError("a key of the service has 16 to 200 visible ASCII characters, without commas and semicolons")
    if set(settings.read_keys) & set(settings.admin_keys):
        raise ConfigError("a key of the service is either for reading or for administration, not both")
    return settings


def require_safe_host(host: str, settings: ServeSettings) -> None:
    """Raises `ConfigError` for a service without keys that other machines could reach."""
    if host not in LOOPBACK and not settings.has_keys:
        raise ConfigError(
            f"without keys the service listens on {LOOPBACK[0]} only, not on {host}; put read_keys and admin_keys into "
            "a TOML file for --settings, or set VCD_READ_KEYS and VCD_ADMIN_KEYS"
        )


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",") if key.strip()]
