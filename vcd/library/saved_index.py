"""The index on disk: volumes, each of some parts; derived from them, safe to delete.

`manifest.json` names the volumes; it is renamed into place after their files are written, so it never names half a
file, and a reader sees the volumes of one moment. A volume that is missing, damaged or unknown is as good as none:
its parts are then searched exactly. A part is covered only if its checksum is the catalog's, so an index that is left
over from another state of the library cannot answer for parts that came later.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.disk import appearing, is_unfinished, sync_folder
from vcd.library.volume import IndexedRows, Volume, open_volume, write_volume

logger = logging.getLogger(__name__)

FOLDER = "index"
MANIFEST = "manifest.json"
FORMAT = 3
_OURS = re.compile(r"(vectors-(\d+)\.faiss|rows-(\d+)\.npy)")


def load_volumes(folder: Path, config: LibraryConfig) -> list[tuple[Volume, IndexedRows]]:
    """The volumes that can be used with these settings; what cannot is named in the log.

    Of the same moment: when a writer replaces the index meanwhile, it is read anew.
    """
    while True:
        try:
            volumes = read_manifest(folder)
        except LibraryDamaged as error:
            logger.warning("%s", error)
            return []
        found: list[tuple[Volume, IndexedRows]] = []
        faults: list[Exception] = []
        for volume in volumes:
            if volume.kind == "exact" or config.index != "exact":
                try:
                    found.append((volume, read_volume(folder, volume, config)))
                except (LibraryDamaged, FileNotFoundError) as error:
                    faults.append(error)
        if not any(isinstance(fault, FileNotFoundError) for fault in faults) or _same_manifest(folder, volumes):
            for fault in faults:
                logger.warning("%s", fault if isinstance(fault, LibraryDamaged) else index_damaged(folder, str(fault)))
            return found


def check_volumes(folder: Path, config: LibraryConfig) -> Iterator[IndexedRows | LibraryDamaged]:
    """Every volume, all of it compared with what was written, or what is wrong with it."""
    try:
        volumes = read_manifest(folder)
    except LibraryDamaged as error:
        yield error
        return
    for volume in volumes:
        try:
            yield read_volume(folder, volume, config, whole=True)
        except LibraryDamaged as error:
            yield error
        except FileNotFoundError as error:
            if not _same_manifest(folder, volumes):
                return  # A writer has replaced the index meanwhile.
            yield index_damaged(folder, str(error))


def read_volume(
    folder: Path, volume: Volume, config: LibraryConfig, to_grow: bool = False, whole: bool = False
) -> IndexedRows:
    """As `open_volume` does; raises `LibraryDamaged`, and `FileNotFoundError` when a file is gone."""
    try:
        return open_volume(folder / FOLDER, volume, config, to_grow, whole)
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise index_damaged(folder, str(error)) from error


def index_damaged(folder: Path, reason: str) -> LibraryDamaged:
    return LibraryDamaged(
        f"{folder / FOLDER}: the index cannot be used ({reason}); queries are answered without it, slowly; to mend it, "
        f"delete that folder and run: vcd index PATH --library {folder}, with any of the media: the index is made anew"
    )


def save_index(folder: Path, kept: Iterable[Volume], fresh: IndexedRows | None) -> None:
    """Make these the index: volumes that are there, and one that is written now; raises `OSError`."""
    place = folder / FOLDER
    volumes = list(kept)
    if fresh is not None:
        place.mkdir(exist_ok=True)
        ours = [match for path in place.iterdir() if (match := _OURS.fullmatch(path.name))]
        number = 1 + max((int(match[2] or match[3]) for match in ours), default=0)
        volumes.append(write_volume(place, number, fresh))
    if not volumes:
        # The manifest goes first, so that nothing names a missing file.
        (place / MANIFEST).unlink(missing_ok=True)
        if place.is_dir():
            sync_folder(place)
    elif not _same_manifest(folder, volumes):
        manifest = {"format": FORMAT, "volumes": [volume.packed() for volume in volumes]}
        with appearing(place / MANIFEST) as unfinished:
            unfinished.write_text(json.dumps(manifest), encoding="utf-8")
    _delete_strays(folder)


def _delete_strays(folder: Path) -> None:
    """Delete index files that the manifest does not name: replaced ones, and those that a killed process left."""
    place = folder / FOLDER
    if not place.is_dir():
        return
    try:
        volumes = read_manifest(folder)
    except LibraryDamaged:
        return
    named = {name for volume in volumes for name in volume.seals}
    for path in place.iterdir():
        ours = is_unfinished(path) or _OURS.fullmatch(path.name)
        if ours and path.name not in named and path.is_file():
            path.unlink()


def read_manifest(folder: Path) -> list[Volume]:
    """The volumes; none when there is no manifest. Raises `LibraryDamaged` when it is not as it was written."""
    file = folder / FOLDER / MANIFEST
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"it is of format {found['format']}")
        volumes = [Volume.unpacked(one) for one in found["volumes"]]
        parts = [part for volume in volumes for part in volume.parts]
        if len(set(parts)) < len(parts):
            raise ValueError("a part is in two volumes")
        return volumes
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise index_damaged(folder, f"{file} is not as it was written: {error!r}") from error


def _same_manifest(folder: Path, volumes: list[Volume]) -> bool:
    """Whether the manifest names these, in any order."""
    try:
        return {one.index: one for one in read_manifest(folder)} == {one.index: one for one in volumes}
    except LibraryDamaged:
        return False
