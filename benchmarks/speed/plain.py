"""Decode videos with PyAV and do nothing else: run as a program, one file a process, it is the floor.

    python plain.py keys|all --processes N [--seconds S] LIST

``keys`` asks the decoder for key frames only. LIST is a text file with one path a line. Prints the number of frames.
"""

import argparse
import multiprocessing
from functools import partial
from pathlib import Path


def decode(path: str, keys_only: bool, seconds: float | None) -> int:
    """Frames that came out of the decoder, up to a time after the file's first frame when that is given."""
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if keys_only:
            stream.codec_context.skip_frame = "NONKEY"
        first_s, count = None, 0
        for frame in container.decode(stream):
            if seconds is not None and frame.time is not None:
                first_s = frame.time if first_s is None else first_s
                if frame.time - first_s >= seconds:
                    break
            count += 1
        return count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["keys", "all"])
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("list", type=Path)
    options = parser.parse_args()
    paths = options.list.read_text(encoding="utf-8").splitlines()
    one = partial(decode, keys_only=options.what == "keys", seconds=options.seconds)
    with multiprocessing.Pool(min(options.processes, len(paths))) as pool:
        print(sum(pool.imap_unordered(one, paths)))
        pool.close()
        pool.join()


if __name__ == "__main__":
    main()
