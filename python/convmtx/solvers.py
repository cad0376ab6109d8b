"""From ``b ≈ A x`` back to ``x``: least squares, conjugate gradients, Tikhonov, Richardson–Lucy.

`lsqr`, `lsmr` and `cg` have SciPy's arguments and return values, `cgls` PyLops'. `A` may be an operator of this
package, of SciPy or of PyLops, a sparse array or a matrix; the iteration runs in the library without the interpreter's
lock, and Ctrl-C ends it at once. `b` is a vector, or an array of shape ``A.dimsd``; then the solution has shape
``A.dims``.

All solvers take, by keyword,

callback : callable, optional
    Called after every iteration with a :class:`Progress` (`cg`: with the iterate, as SciPy does). Raise
    ``StopIteration`` to stop early and keep the iterate; stopping early is a regulariser. Any other exception ends the
    solve and goes to the caller.
history : dict, optional
    Filled with what was recorded: ``residual_norms``, ``normal_residual_norms``, ``objectives`` (starting with the
    starting point), ``iterations``, ``converged``, ``message``, ``elapsed``.
progress : bool, default False
    A progress bar by tqdm.

Operators are linear: where the boundary of a convolution is a constant, give ``b - A.constant_term()``.

λ multiplies the squared norm: ``tikhonov(A, b, lam)`` minimises ``‖A x − b‖² + lam ‖L x‖²``, while `damp` stands
outside the square: ``lam = damp²``.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from . import _core
from ._arrays import as_elements, in_dtype, number, size
from ._types import Array, ArrayLike, History, MatrixLike, Shape
from .operators import Identity, LinearOperator, aslinearoperator


class Progress(NamedTuple):
    """Where a solver stands after an iteration.

    Examples
    --------
    >>> import convmtx
    >>> def report(progress):
    ...     print(progress.iteration, progress.x, progress.residual_norm)
    >>> x, *rest = convmtx.cgls(convmtx.Identity(2), [3.0, 4.0], callback=report)
    1 [3. 4.] 0.0
    """

    iteration: int
    """Iterations done, counted from 1."""
    x: Array
    """The iterate; a copy."""
    residual_norm: float
    """‖b − A x‖"""
    normal_residual_norm: float | None
    """‖Aᴴ(b − A x)‖ with the penalty's part, for solvers that know it."""
    objective: float | None
    """What is being minimised, for solvers that know it."""


class _Problem:
    """Operator, data and start, checked and of one dtype, which those of `others` widen."""

    def __init__(self, A: MatrixLike, b: ArrayLike, x0: ArrayLike | None, *others: LinearOperator | None) -> None:
        self.A = aslinearoperator(A)
        m, n = self.A.shape
        b = as_elements(b, "b")
        if b.shape not in ((m,), (m, 1), self.A.dimsd):
            also = f" or {self.A.dimsd}" if len(self.A.dimsd) > 1 else ""
            raise ValueError(f"b has shape {b.shape}, expected ({m},){also}")
        start = np.zeros(n, b.dtype) if x0 is None else as_elements(x0, "x0")
        if start.shape not in ((n,), (n, 1), self.A.dims):
            raise ValueError(f"x0 has shape {start.shape}, expected ({n},)")
        self.dtype = np.result_type(self.A.dtype, b.dtype, start.dtype, *(op.dtype for op in others if op is not None))
        self.b = in_dtype(b.ravel(self.A.order), self.dtype)
        self.x0 = in_dtype(start.ravel(self.A.order), self.dtype)
        self.result_shape: Shape = self.A.dims if b.ndim > 1 and b.shape == self.A.dimsd else (n,)

    def native(self, operator: LinearOperator | None = None) -> _core.Operator:
        """`A`, or another operator, in the common dtype."""
        return (self.A if operator is None else operator).astype(self.dtype)._native

    def shaped(self, x: Array) -> Array:
        return x.reshape(self.result_shape, order=self.A.order) if len(self.result_shape) > 1 else x


@contextlib.contextmanager
def _observed(
    problem: _Problem,
    callback: Callable[[Progress], object] | None,
    history: History | None,
    progress: bool,
    total: int,
) -> Iterator[_core.Observer | None]:
    """What the library calls after every iteration; None if nobody wants to know. Refuses observers that are none."""
    if callback is not None and not callable(callback):
        raise TypeError(f"callback is {callback!r}, expected a function")
    if history is not None and not isinstance(history, dict):
        raise TypeError(f"history is {history!r}, expected a dict, which is filled")
    if callback is None and not progress:
        yield None
        return
    bar = None
    if progress:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("progress=True needs the package tqdm; pip install tqdm, or pass a callback") from error
        bar = tqdm(total=total, unit="it")

    def observe(iteration: int, x: Array, residual: float, normal: float | None, objective: float | None) -> bool:
        """Whether to stop."""
        if bar is not None:
            bar.update(iteration - bar.n)
            bar.set_postfix_str(f"residual {residual:.3e}", refresh=False)
        if callback is not None:
            try:
                callback(Progress(iteration, problem.shaped(x), residual, normal, objective))
            except StopIteration:
                return True
        return False

    try:
        yield observe
    finally:
        if bar is not None:
            bar.close()


def _finish(problem: _Problem, x: Array, outcome: _core.Outcome, history: History | None) -> Array:
    """The solution as the caller gets it, after what has to be said about it."""
    if history is not None:
        history.update(
            residual_norms=np.array(outcome["residual_norms"]),
            normal_residual_norms=np.array(outcome["normal_residual_norms"]),
            objectives=np.array(outcome["objectives"]),
            iterations=outcome["iterations"],
            converged=outcome["converged"],
            message=outcome["message"],
            elapsed=outcome["elapsed"],
        )
    if not (outcome["converged"] or outcome["interrupted"] or outcome["reached_limit"] or outcome["istop"] is not None):
        warnings.warn(f"the solver stopped: {outcome['message']}", RuntimeWarning, stacklevel=3)
    return problem.shaped(x)


def _istop(outcome: _core.Outcome) -> int:
    return 7 if outcome["istop"] is None else outcome["istop"]


def _last(values: list[float]) -> float:
    return values[-1] if values else 0.0


def _root_of_objective(outcome: _core.Outcome) -> float:
    return float(np.sqrt(_last(outcome["objectives"])))


def _show(name: str, problem: _Problem, outcome: _core.Outcome) -> None:
    m, n = problem.A.shape
    done = f"{outcome['iterations']} iterations in {outcome['elapsed']:.3f} s, {outcome['message']}"
    print(f"{name} on a {m} x {n} operator: {done}")
    residual, normal = _last(outcome["residual_norms"]), _last(outcome["normal_residual_norms"])
    print(f"residual norm {residual:.6e}, normal residual {normal:.3e}")


def lsqr(
    A: MatrixLike,
    b: ArrayLike,
    damp: float = 0.0,
    atol: float = 1e-6,
    btol: float = 1e-6,
    conlim: float = 1e8,
    iter_lim: int | None = None,
    show: bool = False,
    calc_var: bool = False,
    x0: ArrayLike | None = None,
    *,
    callback: Callable[[Progress], object] | None = None,
    history: History | None = None,
    progress: bool = False,
) -> tuple[Array, int, int, float, float, float, float, float, float, Array]:
    """min ‖A x − b‖² + damp²‖x − x0‖², by LSQR (Paige and Saunders 1982, DOI 10.1145/355984.355989).

    Arguments and results are those of ``scipy.sparse.linalg.lsqr``; see the module for `callback`, `history` and
    `progress`.

    Parameters
    ----------
    A : operator, sparse array or matrix
    b : (m,) array, or array of shape ``A.dimsd``
    damp : float
    atol, btol : float
        Stops when ‖r‖ ≤ btol·‖b‖ + atol·‖A‖‖x‖ or ‖Aᴴr‖ ≤ atol·‖A‖‖r‖.
    conlim : float
        Stops when the estimated condition number reaches it; 0 for never.
    iter_lim : int, optional
        Twice the number of columns by default.
    show : bool
        Print a summary at the end.
    calc_var : bool
        Estimate the diagonal of ``(AᴴA + damp²I)⁻¹``.
    x0 : array, optional

    Returns
    -------
    x, istop, itn, r1norm, r2norm, anorm, acond, arnorm, xnorm, var
        As in SciPy; `istop` is 7, too, where a callback stopped.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([1.0, 2.0, 1.0], 5)
    >>> x, istop, itn, *rest = convmtx.lsqr(A, A @ np.arange(5.0), atol=1e-12, btol=1e-12)
    >>> np.round(x, 6)
    array([0., 1., 2., 3., 4.])
    """
    problem = _Problem(A, b, x0)
    limit = 2 * problem.A.shape[1] if iter_lim is None else size(iter_lim, "iter_lim")
    settings = (number(damp, "damp"), limit, number(atol, "atol"), number(btol, "btol"), number(conlim, "conlim"))
    with _observed(problem, callback, history, progress, limit) as observer:
        x, outcome, variances = _core.lsqr(problem.native(), problem.b, problem.x0, settings, bool(calc_var), observer)
    x = _finish(problem, x, outcome, history)
    if show:
        _show("LSQR", problem, outcome)
    var = np.zeros(problem.A.shape[1]) if variances is None else variances.real
    return (
        x,
        _istop(outcome),
        outcome["iterations"],
        _last(outcome["residual_norms"]),
        _root_of_objective(outcome),
        outcome["norm"] or 0.0,
        outcome["condition"] or 0.0,
        _last(outcome["normal_residual_norms"]),
        outcome["solution_norm"] or 0.0,
        var,
    )


def lsmr(
    A: MatrixLike,
    b: ArrayLike,
    damp: float = 0.0,
    atol: float = 1e-6,
    btol: float = 1e-6,
    conlim: float = 1e8,
    maxiter: int | None = None,
    show: bool = False,
    x0: ArrayLike | None = None,
    *,
    callback: Callable[[Progress], object] | None = None,
    history: History | None = None,
    progress: bool = False,
) -> tuple[Array, int, int, float, float, float, float, float]:
    """min ‖A x − b‖² + damp²‖x − x0‖², by LSMR (Fong and Saunders 2011, DOI 10.1137/10079687X).

    Arguments and results are those of ``scipy.sparse.linalg.lsmr``; parameters as in :func:`lsqr`, `maxiter` by default
    the smaller of rows and columns.

    Returns
    -------
    x, istop, itn, normr, normar, norma, conda, normx

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([1.0, 2.0, 1.0], 5)
    >>> np.round(convmtx.lsmr(A, A @ np.arange(5.0), atol=1e-12, btol=1e-12)[0], 6)
    array([0., 1., 2., 3., 4.])
    """
    problem = _Problem(A, b, x0)
    limit = min(problem.A.shape) if maxiter is None else size(maxiter, "maxiter")
    settings = (number(damp, "damp"), limit, number(atol, "atol"), number(btol, "btol"), number(conlim, "conlim"))
    with _observed(problem, callback, history, progress, limit) as observer:
        x, outcome = _core.lsmr(problem.native(), problem.b, problem.x0, settings, observer)
    x = _finish(problem, x, outcome, history)
    if show:
        _show("LSMR", problem, outcome)
    return (
        x,
        _istop(outcome),
        outcome["iterations"],
        _root_of_objective(outcome),
        _last(outcome["normal_residual_norms"]),
        outcome["norm"] or 0.0,
        outcome["condition"] or 0.0,
        outcome["solution_norm"] or 0.0,
    )


def cg(
    A: MatrixLike,
    b: ArrayLike,
    x0: ArrayLike | None = None,
    *,
    rtol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
    M: MatrixLike | None = None,
    callback: Callable[[Array], object] | None = None,
    history: History | None = None,
    progress: bool = False,
) -> tuple[Array, int]:
    """A x = b for Hermitian positive definite A, by conjugate gradients (Hestenes and Stiefel 1952).

    Arguments and results are those of ``scipy.sparse.linalg.cg``.

    Parameters
    ----------
    A : operator, sparse array or matrix
    b : (n,) array, or array of shape ``A.dimsd``
    x0 : array, optional
    rtol, atol : float
        Stops when ‖b − A x‖ ≤ max(rtol·‖b‖, atol).
    maxiter : int, optional
        Ten times the number of unknowns by default.
    M : operator, optional
        Preconditioner, an approximation of A⁻¹, Hermitian positive definite.
    callback : callable, optional
        Called with the iterate after every iteration.

    Returns
    -------
    x, info
        `info` is 0 after convergence, the number of iterations if their limit was reached, -1 if A or M is not positive
        definite or numbers ceased to be finite (with a warning that says which).

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([-1.0, 4.0, -1.0], 6, "same")
    >>> x, info = convmtx.cg(A, np.ones(6), rtol=1e-12)
    >>> info, bool(np.allclose(A @ x, 1))
    (0, True)
    """
    preconditioner = None if M is None else aslinearoperator(M)
    problem = _Problem(A, b, x0, preconditioner)
    limit = 10 * problem.A.shape[1] if maxiter is None else size(maxiter, "maxiter")
    native_preconditioner = None if preconditioner is None else problem.native(preconditioner)
    settings = (limit, number(rtol, "rtol"), number(atol, "atol"))
    if callback is not None and not callable(callback):
        raise TypeError(f"callback is {callback!r}, expected a function")
    with_iterate = None if callback is None else lambda seen: callback(seen.x)
    with _observed(problem, with_iterate, history, progress, limit) as observer:
        x, outcome = _core.cg(problem.native(), problem.b, problem.x0, settings, native_preconditioner, observer)
    x = _finish(problem, x, outcome, history)
    if outcome["converged"]:
        return x, 0
    return x, outcome["iterations"] if outcome["reached_limit"] or outcome["interrupted"] else -1


def cgls(
    Op: MatrixLike,
    y: ArrayLike,
    x0: ArrayLike | None = None,
    niter: int = 100,
    damp: float = 0.0,
    tol: float = 1e-6,
    show: bool = False,
    *,
    callback: Callable[[Progress], object] | None = None,
    history: History | None = None,
    progress: bool = False,
) -> tuple[Array, int, int, float, float, Array]:
    """min ‖Op x − y‖² + damp²‖x‖², by CGLS (Björck 1996, DOI 10.1137/1.9781611971484).

    Arguments and results are those of ``pylops.cgls``. The iterates are those of :func:`lsqr` in exact arithmetic, at a
    lower cost.

    Parameters
    ----------
    Op : operator, sparse array or matrix
    y : (m,) array, or array of shape ``Op.dimsd``
    x0 : array, optional
    niter : int
        The largest number of iterations.
    damp : float
    tol : float
        Stops when the gradient has become this much smaller than at ``x = 0``.
    show : bool
        Print a summary at the end.

    Returns
    -------
    x, istop, iit, r1norm, r2norm, cost
        `istop` is 1 after convergence and 2 otherwise, `iit` the iterations done, `r1norm` ‖y − Op x‖, `r2norm` its
        combination with the damping, `cost` the residual norms from the start on.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([1.0, 2.0, 1.0], 5)
    >>> x, istop, *rest = convmtx.cgls(A, A @ np.arange(5.0), tol=1e-12)
    >>> bool(np.allclose(x, np.arange(5.0))), istop
    (True, 1)
    """
    problem = _Problem(Op, y, x0)
    limit = size(niter, "niter")
    settings = (number(damp, "damp"), limit, number(tol, "tol"), 0.0)
    with _observed(problem, callback, history, progress, limit) as observer:
        x, outcome = _core.cgls(problem.native(), problem.b, problem.x0, settings, observer)
    x = _finish(problem, x, outcome, history)
    if show:
        _show("CGLS", problem, outcome)
    return (
        x,
        1 if outcome["converged"] else 2,
        outcome["iterations"],
        _last(outcome["residual_norms"]),
        _root_of_objective(outcome),
        np.array(outcome["residual_norms"]),
    )


def tikhonov(
    A: MatrixLike,
    b: ArrayLike,
    lam: float,
    L: MatrixLike | None = None,
    x0: ArrayLike | None = None,
    *,
    maxiter: int = 100,
    tol: float = 1e-6,
    callback: Callable[[Progress], object] | None = None,
    history: History | None = None,
    progress: bool = False,
) -> Array:
    """min ‖A x − b‖² + lam ‖L x‖² (Tikhonov 1963), by CGLS on the stacked operator.

    Parameters
    ----------
    A : operator, sparse array or matrix
    b : (m,) array, or array of shape ``A.dimsd``
    lam : float
        λ, at least 0.
    L : operator, optional
        The identity by default; :class:`Gradient2d` and :class:`Difference` prefer smooth solutions.
    x0 : array, optional
    maxiter : int
    tol : float
        Stops when the gradient has become this much smaller than at ``x = 0``.

    Returns
    -------
    x : array
        Of shape ``A.dims`` where `b` has shape ``A.dimsd``.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([1.0, 1.0], 20, "same")
    >>> smooth = convmtx.tikhonov(A, np.ones(20), 0.1, convmtx.Difference(20, 2))
    >>> smooth.shape
    (20,)
    """
    A = aslinearoperator(A)
    penalty = Identity(A.shape[1], A.dtype) if L is None else aslinearoperator(L)
    if len(penalty.dims) > 1 and len(A.dims) > 1 and penalty.dims != A.dims:  # as many numbers, but of another picture
        raise ValueError(f"L takes arrays of shape {penalty.dims}, expected {A.dims} as A")
    problem = _Problem(A, b, x0, penalty)
    limit = size(maxiter, "maxiter")
    settings = (number(lam, "lam"), limit, number(tol, "tol"))
    with _observed(problem, callback, history, progress, limit) as observer:
        x, outcome = _core.tikhonov(
            problem.native(), problem.native(penalty), problem.b, problem.x0, settings, observer
        )
    return _finish(problem, x, outcome, history)


def richardson_lucy(
    A: MatrixLike,
    b: ArrayLike,
    niter: int = 30,
    *,
    x0: ArrayLike | None = None,
    background: ArrayLike = 0.0,
    clip_data: bool = False,
    callback: Callable[[Progress], object] | None = None,
    history: History | None = None,
    progress: bool = False,
) -> Array:
    """Richardson–Lucy, for counts `b` of mean ``A x + background`` (Richardson 1972, DOI 10.1364/JOSA.62.000055; Lucy
    1974, DOI 10.1086/111605).

    ``x ← x · Aᴴ(b / (A x + d)) / Aᴴ1`` with the exact adjoint and the division by ``Aᴴ1``, so that no light is lost at
    the edge.

    Parameters
    ----------
    A : operator
        Real, with non-negative entries.
    b : (m,) array, or array of shape ``A.dimsd``
        Non-negative.
    niter : int
    x0 : array, optional
        The mean of `b` everywhere by default.
    background : float or array of the shape of `b`
    clip_data : bool
        Take negative data as 0 instead of refusing them.

    Returns
    -------
    x : array

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([0.25, 0.5, 0.25], 9, "same")
    >>> star = np.zeros(9); star[4] = 1.0
    >>> int(convmtx.richardson_lucy(A, A @ star, 50).argmax())
    4
    """
    problem = _Problem(A, b, x0)
    limit = size(niter, "niter")
    d = as_elements(background, "background")
    d = np.full(1, d) if d.ndim == 0 else d.ravel(problem.A.order)
    start = None if x0 is None else problem.x0
    settings, d = (limit, bool(clip_data)), in_dtype(d, problem.dtype)
    with _observed(problem, callback, history, progress, limit) as observer:
        x, outcome = _core.richardson_lucy(problem.native(), problem.b, start, settings, d, observer)
    return _finish(problem, x, outcome, history)


def divide(A: MatrixLike, y: ArrayLike, niter: int = 100) -> Array:
    """``A / y``, as in PyLops: the least-squares solution by at most `niter` steps of LSQR."""
    return lsqr(A, y, iter_lim=niter)[0]
