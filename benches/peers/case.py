"""A case: one job, the peers that do it, and the comparison of their results with a reference."""

from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np
import scipy.sparse as sp

OURS = "convmtx"


@dataclass
class Peer:
    """A way to do the job. `only` names the thread counts it knows (None: all), `view` makes its result comparable."""

    name: str
    work: Callable[[], Any]
    only: tuple[int, ...] | None = None
    view: Callable[[Any], Any] | None = None

    @property
    def is_ours(self):
        return self.name.startswith(OURS)


@dataclass
class Case:
    """A job of a group, told by its parameters; results may differ from the reference by `tolerance` of its maximum."""

    group: str
    name: str
    parameters: dict
    reference: Callable[[], Any]
    tolerance: float = 1e-9
    peers: list[Peer] = field(default_factory=list)

    @property
    def title(self):
        return " ".join([self.name, *(f"{k}={v}" for k, v in self.parameters.items())])

    def add(self, name, work, *, only=None, view=None):
        """A peer; `work` None leaves it out (its library is missing)."""
        if work is not None:
            self.peers.append(Peer(name, work, only, view))

    def add_ours(self, adapter, function, *arguments, view=None):
        """Every variant that the adapter has for this case."""
        if adapter is None:
            return
        try:
            found = getattr(adapter, function)(*arguments)
        except NotImplementedError:
            return
        for variant, work in (found if isinstance(found, dict) else {"": found}).items():
            self.add(f"{OURS} {variant}".strip(), work, view=view)


def as_array(result, view=None):
    """A result as NumPy or scipy.sparse knows it."""
    if view is not None:
        result = view(result)
    if hasattr(result, "detach"):
        result = result.detach().cpu().numpy()
    return result if sp.issparse(result) else np.asarray(result)


def error_of(result, reference):
    """The largest difference over the largest reference value; infinite where the shapes do not fit."""
    if sp.issparse(reference):
        if not sp.issparse(result) or result.shape != reference.shape:
            return float("inf")
        # Entry by entry: a product would hide a wrong sparsity pattern.
        difference, scale = (result - reference).tocsr().data, reference.data
    else:
        if sp.issparse(result) or result.size != reference.size:
            return float("inf")
        difference, scale = np.ravel(result) - np.ravel(reference), np.ravel(reference)
    largest = float(np.max(np.abs(difference), initial=0.0))
    return largest / max(float(np.max(np.abs(scale), initial=0.0)), 1e-300)
