"""`python -m release`: the source archive and the wheels of a commit, made, checked and tried."""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path

from release.bill import write_bill
from release.building import sdist, wheel
from release.checking import check_files, check_tag, write_sums
from release.source import commit_time, prepare
from release.targets import TARGETS, Target
from release.trying import Hashes, in_bare_environment, under_qemu, under_wine

ROOT = Path(__file__).parents[1]
OLDEST, NEWEST = "1.17.3", "1.32.0"
"""Versions of ONNX Runtime."""

_OURS = re.compile(r"onnx_acts-.*\.(whl|tar\.gz|json)|SHA256SUMS")
"""What a release writes."""


def main() -> None:
    """Makes a release."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("--commit", default="HEAD", help="what to release (HEAD)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to write (dist)")
    parser.add_argument("--address", default="", help="the repository on the web, for project URLs")
    names = [target.name for target in TARGETS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="platforms (all)")
    parser.add_argument("--build-only", action="store_true", help="run nothing of what was built")
    parser.add_argument("--values", action="store_true", help="the value tests under qemu, too")
    args = parser.parse_args()
    chosen = [target for target in TARGETS if target.name in args.only]
    work = Path(tempfile.mkdtemp(prefix="release-"))
    try:
        wheels = build(chosen, work, args.out.resolve(), args.commit, args.address)
        if not args.build_only:
            attempt(wheels, work, args.out.resolve(), values=args.values)
        write_sums([file for file in args.out.iterdir() if file.name != "SHA256SUMS"], args.out)
    finally:
        shutil.rmtree(work)
    print(f"done: {args.out}")


def build(
    chosen: list[Target], work: Path, out: Path, commit: str, address: str
) -> dict[Target, Path]:
    """Makes the files from a commit, and looks at them; the wheels."""
    time = commit_time(ROOT, commit)
    clear(out)
    prepare(ROOT, work / "source", commit, address)
    archive = sdist(work / "source", out, time)
    print(archive.name, flush=True)
    wheels = {}
    for target in chosen:
        wheels[target] = wheel(archive, target, out, work, time)
        print(wheels[target].name, flush=True)
        check_tag(wheels[target], target)
    check_files([archive, *wheels.values()])
    print("twine and check-wheel-contents find no fault", flush=True)
    return wheels


def clear(out: Path) -> None:
    """Takes the files of an earlier release away.

    Raises:
        SystemExit: the folder has something else, too.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = sorted(out.iterdir())
    others = [path.name for path in found if not path.is_file() or not _OURS.fullmatch(path.name)]
    if others:
        raise SystemExit(f"{out} has {others[0]!r}, which is not of a release: give another --out")
    for path in found:
        path.unlink()


def attempt(wheels: dict[Target, Path], work: Path, out: Path, *, values: bool) -> None:
    """Runs each wheel; what all compute must be the same."""
    found: list[Hashes] = []
    for target, file in wheels.items():
        print(f"{target.name}:", flush=True)
        if target.name == "linux-x86_64":
            found += [in_bare_environment(file, runtime, work) for runtime in (NEWEST, OLDEST)]
            bill = write_bill(work / f"bare-{NEWEST}/bin/python", out)
            print(f"  bill of materials: {bill.name}", flush=True)
        elif target.name == "linux-aarch64":
            found.append(under_qemu(file, work, values=values))
        else:
            found.append(under_wine(file, work))
    for hashes in found[1:]:
        differ = [name for name in hashes if hashes[name] != found[0].get(name)]
        if differ:
            raise SystemExit(f"{len(differ)} hashes differ from those of the first: {differ[:5]}")
    print(f"{len(found)} times the same hashes")


if __name__ == "__main__":
    main()
