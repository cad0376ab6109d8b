"""Operators survive pickling and copying: the same map, the same shapes."""

import copy
import pickle

import numpy as np
import pytest

import operators


def assert_equal(a, b):
    assert type(a) is type(b)
    assert (a.shape, a.dtype, a.dims, a.dimsd) == (b.shape, b.dtype, b.dims, b.dimsd)
    m, n = a.shape
    assert np.array_equal(a.matmat(np.eye(n)), b.matmat(np.eye(n)))
    assert np.array_equal(a.rmatmat(np.eye(m)), b.rmatmat(np.eye(m)))


@pytest.mark.parametrize("name", operators.names())
def test_pickle(name):
    op = operators.named(name)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert_equal(op, pickle.loads(pickle.dumps(op, protocol)))
    assert_equal(op, copy.copy(op))
    assert_equal(op, copy.deepcopy(op))


def test_a_pickle_is_the_description():
    """Not the matrix and not the spectra: as long as the kernel."""
    import convmtx

    assert len(pickle.dumps(convmtx.Conv1d(np.ones(5), 10**9))) < 2000
