"""A library's hashes to files and back, to exchange with others: what `vcd library export|import --hashes` do."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from vcd.config import Config
from vcd.errors import LibraryError
from vcd.hashes.exchange import read_list, write_pdq, write_vpdq, write_vpdq_json
from vcd.hashes.store import load_references, remove_list, store_list
from vcd.library import Library, LibraryWriter
from vcd.report import check_writable, write_atomically


def export_hashes(folder: Path, target: Path, kind: str, config: Config) -> tuple[int, int]:
    """References and hashes written: ``.jsonl`` vpdq-json, no ending a folder of vpdq files, else pdq.

    Raises `LibraryError` when the library stores no hashes of the kind, `SetupError` when it cannot be written.
    """
    listed = load_references(folder, Library(folder, config.library).media, kind)
    if not len(listed):
        raise LibraryError(f"{folder}: stores no {kind} hashes; make them with: vcd index PATH --hashes {kind}")
    if target.suffix == ".jsonl":
        write_atomically(write_vpdq_json(listed), target)
    elif target.suffix:
        write_atomically(write_pdq(listed), target)
    else:
        _write_folder(write_vpdq(listed), target)
    return len(listed), len(listed.hashes)


def _write_folder(files: dict[str, bytes], target: Path) -> None:
    """A file each, named as the reference is, below the folder whatever that name is."""
    for label, content in files.items():
        parts = [part for part in PurePosixPath(label).parts if part not in ("/", "..", ".")]
        file = Path(target, *parts[:-1], f"{parts[-1]}.txt")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(f"{file.parent}: cannot be made: {error.strerror}") from error
        check_writable(file)
        write_atomically(content, file)


def import_hashes(sources: Sequence[Path], folder: Path, kind: str, config: Config) -> tuple[int, int]:
    """Entries and hashes of lists that from now on every query is compared with; each replaces one of its name.

    All are read before any is stored. Raises `DataError` for a file that is no list.
    """
    lists = [read_list(source, kind) for source in sources]
    with LibraryWriter(folder, config.library) as writer:
        for listed in lists:
            store_list(writer, listed)
    return sum(map(len, lists)), sum(len(listed.hashes) for listed in lists)


def remove_hashes(names: Sequence[str], folder: Path, config: Config) -> int:
    """Forget lists by their names; how many. Raises `LibraryError` for one that is not there."""
    with LibraryWriter(folder, config.library) as writer:
        for name in names:
            remove_list(writer, name)
    return len(names)
