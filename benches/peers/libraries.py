"""The peers' libraries: imported once, missing ones remembered by name; their thread counts."""

import glob
import importlib
import os
import sys
import warnings

# Set before any import: idle OpenMP threads must not spin into the next peer's slot, MKL is found where pip puts it.
os.environ.setdefault("KMP_BLOCKTIME", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", str(os.cpu_count()))
for _library in glob.glob(os.path.join(sys.prefix, "lib", "libmkl_rt.so*")):
    os.environ.setdefault("MKL_RT", _library)
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import scipy  # noqa: E402
import scipy.fft  # noqa: E402

_modules = {}
missing = {}  # name -> reason


def optional(name):
    """The module, or None; the reason is kept in `missing`."""
    if name not in _modules:
        try:
            _modules[name] = importlib.import_module(name)
        except Exception as error:  # a broken installation must not stop the others
            _modules[name] = None
            missing[name] = f"{type(error).__name__}: {error}"[:160]
    return _modules[name]


def versions():
    """Name and version of everything that took part."""
    found = {name: module.__version__ for name, module in _modules.items() if hasattr(module, "__version__")}
    return {"numpy": np.__version__, "scipy": scipy.__version__, **found}


class Threads:
    """Sets the number of threads of every library through its own switch."""

    def __init__(self, ours):
        self._ours = ours
        self._torch, self._numba, self._cv2 = optional("torch"), optional("numba"), optional("cv2")
        for name in ("sparse_dot_mkl", "mkl_fft", "mkl_fft.interfaces.scipy_fft"):
            optional(name)  # their pools must exist before they can be limited
        pools = optional("threadpoolctl")
        self._pools = pools.ThreadpoolController() if pools else None
        self._fft = None
        if self._torch:  # starts the threads of autograd outside every measurement
            t = self._torch.ones(2, requires_grad=True)
            self._torch.autograd.grad((t * t).sum(), t)

    def set(self, n):
        if self._pools:
            self._pools.limit(limits=n)
        if self._torch:
            self._torch.set_num_threads(n)
        if self._numba:
            self._numba.set_num_threads(n)
        if self._cv2:
            self._cv2.setNumThreads(n if n > 1 else 0)
        if self._fft:
            self._fft.__exit__(None, None, None)
        self._fft = scipy.fft.set_workers(n)
        self._fft.__enter__()
        if self._ours:
            self._ours.set_threads(n)


def with_mkl_fft(function):
    """The function with MKL behind scipy.fft; None where MKL's FFT is missing."""
    backend = optional("mkl_fft.interfaces.scipy_fft")  # needs mkl-service, too
    if not backend:
        return None

    def run():
        with scipy.fft.set_backend(backend):
            return function()

    return run
