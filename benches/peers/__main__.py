"""Times the programs a user would pick, and convmtx beside them, in one process and in turn.

    python benches/peers                    the default grid
    python benches/peers --quick            small sizes, under two minutes: does everything agree?
    python benches/peers -g B D             some groups
    python benches/peers --case "K=31 S=64" some cases
    python benches/peers --out mine.json    keep the measurements; measured cases replace those already there
    python benches/peers --report mine.json the table of a kept run

Ends with an error if one of our own results is wrong or fails.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

import libraries
import report
from cases import GROUPS
from runner import Settings, run

# glibc then keeps what is freed: large temporaries cost no fresh pages after the first call.
WARM_HEAP = "glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184"


def arguments():
    parser = argparse.ArgumentParser(
        prog="python benches/peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    groups = "; ".join(f"{name}: {what}" for name, (what, _) in GROUPS.items())
    parser.add_argument("-g", "--groups", nargs="*", choices=list(GROUPS), default=list(GROUPS), help=groups)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", default="default")
    size.add_argument("--full", dest="size", action="store_const", const="full")
    parser.add_argument("--case", help="only cases whose title contains this text")
    parser.add_argument("--only", help="only peers whose name contains one of these words, separated by commas")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, separated by commas")
    parser.add_argument("--rounds", type=int, help="samples per peer (3 with --quick, else 7)")
    parser.add_argument("--budget", type=float, help="seconds per peer and case after which it leaves the rounds")
    parser.add_argument("--warm-heap", action="store_true", help="glibc keeps freed memory: no page faults")
    parser.add_argument("--out", type=Path, help="JSON file to keep the measurements in")
    parser.add_argument("--report", type=Path, metavar="FILE", help="print the table of a kept run, measure nothing")
    return parser.parse_args()


def adapter():
    """Ours, or None where the package is not installed."""
    try:
        import ours
    except ImportError as error:
        libraries.missing["convmtx"] = str(error)
        return None
    return ours


def machine(options, ours):
    try:
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    except OSError:
        models = []
    cpu = models[0].split(":", 1)[1].strip() if models else platform.processor()
    versions = {"convmtx": ours.VERSION, **libraries.versions()} if ours else libraries.versions()
    return dict(
        cores=os.cpu_count(), cpu=cpu, versions=versions, missing=libraries.missing, warm_heap=options.warm_heap
    )


def measured(options, ours):
    """One record per case, as it comes."""
    quick = options.size == "quick"
    settings = Settings(
        threads=tuple(int(n) for n in options.threads.split(",")),
        rounds=options.rounds or (3 if quick else 7),
        budget=options.budget or (0.3 if quick else 1.0),
    )
    threads = libraries.Threads(ours)
    for group in options.groups:
        start = time.perf_counter()
        for case in GROUPS[group][1](options.size, ours):
            if options.case and options.case not in case.title:
                continue
            if options.only:
                words = options.only.split(",")
                case.peers = [peer for peer in case.peers if any(word in peer.name for word in words)]
            yield run(case, threads, settings)
        print(f"-- group {group}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def main():
    options = arguments()
    if options.warm_heap and "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = WARM_HEAP
        os.execv(sys.executable, [sys.executable, *sys.argv])
    if options.report:
        kept = json.loads(options.report.read_text())
        print(report.of_run(kept["records"], kept["about"]))
        return 0
    ours = adapter()
    records = []
    for record in measured(options, ours):
        records.append(record)
        print(report.of_case(record), flush=True)
        if options.out:  # after every case: a run that is stopped has not measured in vain
            keep(options.out, records, machine(options, ours))
    print("\n" + report.of_run(records, machine(options, ours)))
    wrong = report.ours_is_wrong(records)
    if wrong:
        print("ours is wrong:\n  " + "\n  ".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


def keep(path, records, about):
    """Writes the records; those of other cases that the file has already stay."""
    key = lambda record: (record["group"], record["case"])
    old = json.loads(path.read_text())["records"] if path.exists() else []
    merged = {key(record): record for record in (*old, *records)}
    ordered = sorted(merged.values(), key=lambda record: record["group"])
    path.write_text(json.dumps(dict(about=about, records=ordered), indent=1))


if __name__ == "__main__":
    sys.exit(main())
