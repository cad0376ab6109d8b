"""Time, and whether somebody else used the machine meanwhile."""

import os
import resource
import time
from dataclasses import dataclass


@dataclass
class Sample:
    """One measurement: seconds, our CPU seconds in user mode and in the kernel, others' CPU seconds, page faults."""

    seconds: float
    user: float
    kernel: float
    foreign: float
    faults: int

    @property
    def disturbed(self):
        """Others took more than a tenth of the time (or than two ticks of the clock that tells)."""
        return self.foreign > 0.02 + 0.1 * self.seconds


def measure(work, calls):
    """A sample of `calls` calls, per batch."""
    machine, own, start = _machine(), resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for _ in range(calls):
        work()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    user, kernel = after.ru_utime - own.ru_utime, after.ru_stime - own.ru_stime
    foreign = max(0.0, _machine() - machine - user - kernel)
    return Sample(seconds, user, kernel, foreign, after.ru_minflt - own.ru_minflt)


def _machine():
    """Busy and stolen CPU seconds of the whole machine, in steps of 10 ms; 0 where /proc is missing."""
    try:
        with open("/proc/stat") as f:
            ticks = f.readline().split()
    except OSError:
        return 0.0
    user, nice, system, steal = (int(ticks[i]) for i in (1, 2, 3, 8))
    return (user + nice + system + steal) / os.sysconf("SC_CLK_TCK")
