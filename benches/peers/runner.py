"""Runs a case: every peer is checked first, then the rounds A B C A B C … for each number of threads."""

import gc
import statistics
import time
from dataclasses import dataclass, field

from case import as_array, error_of
from clock import Sample, measure

SHORTEST_SAMPLE = 2e-3  # seconds; faster work is repeated within a sample
PAUSE = 3e-3  # lets the threads of the last peer fall asleep


@dataclass
class Settings:
    """How long to measure: samples per peer, and seconds per peer and case after which it leaves the rounds."""

    threads: tuple[int, ...] = (1, 2)
    rounds: int = 7
    budget: float = 1.0


@dataclass
class Entry:
    """A peer within the rounds."""

    peer: object
    call_seconds: float
    error: float
    kept: list[Sample] = field(default_factory=list)
    discarded: list[Sample] = field(default_factory=list)

    @property
    def calls(self):
        return max(1, int(SHORTEST_SAMPLE / max(self.call_seconds, 1e-7)))

    def least(self, settings):
        """The samples a peer must have before its budget can end its part."""
        if self.call_seconds > 3 * settings.budget:
            return 1
        return min(settings.rounds, 5 if self.call_seconds < settings.budget / 5 else 3)

    def wants_more(self, settings):
        if len(self.kept) >= settings.rounds:
            return False
        spent = sum(s.seconds for s in (*self.kept, *self.discarded))
        return len(self.kept) < self.least(settings) or spent + self.call_seconds < settings.budget

    def take(self, settings):
        time.sleep(PAUSE)
        sample = measure(self.peer.work, self.calls)
        # As many disturbed samples are given up as are needed; a machine that is never calm still gives a number.
        give_up = sample.disturbed and len(self.discarded) < self.least(settings)
        (self.discarded if give_up else self.kept).append(sample)

    def record(self, threads, tolerance):
        per_call = [s.seconds / self.calls for s in self.kept]
        user, kernel = sum(s.user for s in self.kept), sum(s.kernel for s in self.kept)
        return dict(
            peer=self.peer.name,
            threads=threads,
            seconds=statistics.median(per_call),
            fastest=min(per_call),
            # What is left of a number on a busy machine: waiting for a core is not counted.
            cpu_seconds=statistics.median((s.user + s.kernel) / self.calls for s in self.kept),
            samples=len(per_call),
            discarded=len(self.discarded),
            disturbed=sum(s.disturbed for s in self.kept),
            # The clock of the kernel ticks every 10 ms; below a few ticks a share means nothing.
            kernel_share=round(kernel / (user + kernel), 3) if user + kernel > 0.05 else None,
            page_faults=sum(s.faults for s in self.kept) / (self.calls * len(per_call)),
            error=self.error,
            wrong=not self.error <= tolerance,
        )


def run(case, threads, settings):
    """The results of a case, one record per peer and number of threads."""
    reference = as_array(case.reference())
    results = []
    for count in settings.threads:
        threads.set(count)
        entries = []
        for peer in case.peers:
            if peer.only and count not in peer.only:
                continue
            try:
                entries.append(_admit(peer, reference))
            except Exception as error:
                failed = f"{type(error).__name__}: {error}"[:200]
                results.append(dict(peer=peer.name, threads=count, failed=failed))
        gc.collect()
        for _ in range(2 * settings.rounds):  # the second half replaces what was disturbed
            for entry in entries:
                if entry.wants_more(settings):
                    entry.take(settings)
        results += [entry.record(count, case.tolerance) for entry in entries]
    return dict(group=case.group, case=case.title, results=results)


def _admit(peer, reference):
    """The first call warms caches and is compared with the reference; the second says how long a call takes."""
    error = error_of(as_array(peer.work(), peer.view), reference)
    return Entry(peer, measure(peer.work, 1).seconds, error)
