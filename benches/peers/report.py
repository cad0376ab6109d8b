"""Markdown from results: ratios, never bare times, because only they survive another machine."""

from case import OURS


def of_case(record):
    """Lines for the terminal: every peer at every number of threads, the fastest first."""
    lines = [f"\n[{record['group']}] {record['case']}"]
    by_peer = _by_peer(record)
    for name, at in sorted(by_peer.items(), key=lambda item: min(_seconds(r) for r in item[1].values())):
        parts = []
        for threads, r in sorted(at.items()):
            if "failed" in r:
                parts.append(f"{threads}T failed: {r['failed']}")
                continue
            wrong = f" WRONG by {r['error']:.1e}" if r["wrong"] else ""
            disturbed = f", {r['disturbed']} disturbed" if r["disturbed"] else ""
            parts.append(f"{threads}T {r['seconds'] * 1e3:10.3f} ms ({r['samples']}{disturbed}){wrong}")
        lines.append(f"  {name:<44}" + "   ".join(parts))
    return "\n".join(lines)


def of_run(records, about):
    """The whole report: one table, one line per case, with what stands beside the numbers."""
    samples = [r for record in records for r in record["results"] if "seconds" in r]
    kept, disturbed = sum(r["samples"] for r in samples), sum(r["disturbed"] for r in samples)
    discarded = sum(r["discarded"] for r in samples)
    lines = [
        f"{about['cores']} cores, {about['cpu']}; " + ", ".join(f"{k} {v}" for k, v in about["versions"].items()) + ".",
        f"{'Freed memory is kept (--warm-heap)' if about['warm_heap'] else 'Default malloc'}; "
        f"{kept} samples, {disturbed} of them disturbed by other programs, {discarded} more discarded.",
        "",
        "Ratio: time of the fastest correct peer over time of our fastest variant, each with at most so many threads; "
        "above 1 we are faster. CPU: the same with one thread in CPU time, which other programs disturb least. Kernel: share "
        "of our CPU time that the kernel took.",
        "",
        "| | case | CPU | to | 1 thread | to | 2 threads | to | ours | kernel |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for record in records:
        cpu, one, two = comparison(record, 1, "cpu_seconds"), comparison(record, 1), comparison(record, 2)
        ours = two[2] or one[2]
        shares = [r["kernel_share"] for r in record["results"] if r["peer"] == ours and r.get("kernel_share")]
        kernel = f"{shares[0]:.0%}" if shares else "–"
        ratios = (cell for ratio, peer, _ in (cpu, one, two) for cell in (_ratio(ratio), peer))
        cells = (record["group"], record["case"], *ratios, ours, kernel)
        lines.append("| " + " | ".join(cells) + " |")
    bad = [f"{record['case']}: {r['peer']}" for record in records for r in record["results"] if _is_bad(r)]
    if bad:
        lines += ["", "Wrong or failed, and not compared: " + "; ".join(dict.fromkeys(bad)) + "."]
    if about["missing"]:
        lines += ["", "Skipped: " + "; ".join(f"{name} ({why})" for name, why in about["missing"].items()) + "."]
    return "\n".join(lines) + "\n"


def comparison(record, threads, by="seconds"):
    """(ratio or None, fastest peer, our fastest variant) with up to this number of threads."""
    wrong = {r["peer"] for r in record["results"] if r.get("wrong")}
    ours, peers = [], []
    for name, at in _by_peer(record).items():
        within = [r.get(by, float("inf")) for count, r in at.items() if count <= threads]
        best = min(within, default=float("inf"))
        if name not in wrong and best < float("inf"):
            (ours if name.startswith(OURS) else peers).append((best, name))
    best_peer, best_ours = min(peers, default=None), min(ours, default=None)
    ratio = best_peer[0] / best_ours[0] if best_peer and best_ours else None
    return ratio, best_peer[1] if best_peer else "–", best_ours[1] if best_ours else ""


def ours_is_wrong(records):
    """What of ours was wrong or failed: the run ends with an error."""
    return [
        f"{record['case']}: {r['peer']} {r.get('failed') or 'differs by %.1e' % r['error']}"
        for record in records
        for r in record["results"]
        if r["peer"].startswith(OURS) and _is_bad(r)
    ]


def _is_bad(r):
    return "failed" in r or r["wrong"]


def _by_peer(record):
    by_peer = {}
    for r in record["results"]:
        by_peer.setdefault(r["peer"], {})[r["threads"]] = r
    return by_peer


def _seconds(r):
    return r.get("seconds", float("inf"))


def _ratio(value):
    return "–" if value is None else f"{value:.2f}"
