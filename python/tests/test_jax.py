"""Functions of JAX arrays: values, gradients of every order, transformations."""

import numpy as np
import pytest

import convmtx

jax = pytest.importorskip("jax", reason="JAX is not installed: convmtx.jax is not tested")
import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

import convmtx.jax as cj  # noqa: E402


@pytest.fixture(autouse=True)
def double_precision():
    """float64 in these tests, JAX's default elsewhere."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


DTYPES = [np.float64, np.complex128]
BOUNDARIES = ["zero", "periodic", "symmetric", "reflect", "replicate", "antireflective", 1.5]


def draw(*shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed + sum(shape))
    values = rng.standard_normal(shape)
    return jnp.asarray(values + 1j * rng.standard_normal(shape) if dtype is np.complex128 else values)


def check(f, *inputs, order=2):
    """Derivatives by differences and by the functions."""
    check_grads(f, inputs, order=order, modes=["rev"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_gradients_in_one_dimension(boundary, dtype):
    for i, (taps, stride, dilation) in enumerate([(1, 1, 1), (4, 2, 1), (3, 1, 2)], BOUNDARIES.index(boundary)):
        mode = ["full", "same", "valid"][i % 3]  # over the boundaries every mode with every triple
        settings = {"boundary": boundary, "stride": stride, "dilation": dilation}
        x, k = draw(2, 7, dtype=dtype), draw(taps, dtype=dtype)
        check(lambda x, k: cj.conv(x, k, mode, **settings), x, k, order=1)
    x, k = draw(5, dtype=dtype), draw(2, dtype=dtype)
    check(lambda x, k: cj.conv(x, k, "same", boundary=boundary, correlate=True), x, k)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (2,), (1, 2)])
def test_gradients_in_two_and_three_dimensions(batch, dtype):
    x, k = draw(*batch, 4, 3, dtype=dtype), draw(2, 2, dtype=dtype)
    check(lambda x, k: cj.conv(x, k, "same", boundary=("symmetric", 2.0), stride=(1, 2)), x, k)
    x, k = draw(*batch, 2, 3, 2, dtype=dtype), draw(1, 2, 2, dtype=dtype)
    check(lambda x, k: cj.conv(x, k), x, k, order=1)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("n, taps", [(9, 4), (9, 5), (4, 9)])
def test_numpy_convolve_agrees_with_its_gradients(mode, n, taps):
    x, k = draw(n), draw(taps)
    weights = draw(len(jnp.convolve(x, k, mode)), seed=7)
    loss = lambda convolve: lambda x, k: jnp.sum(jnp.sin(convolve(x, k)) * weights)
    ours = loss(lambda x, k: cj.conv(x, k, mode, convention="numpy"))
    theirs = loss(lambda x, k: jnp.convolve(x, k, mode))
    np.testing.assert_allclose(ours(x, k), theirs(x, k), rtol=1e-12)
    for a, b in zip(jax.grad(ours, argnums=(0, 1))(x, k), jax.grad(theirs, argnums=(0, 1))(x, k)):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)
    if (n, taps) != (9, 4):
        return  # to compile JAX's takes a second, and what follows does not know who is longer, or odd
    hessians = [jax.jit(jax.jacrev(jax.jacrev(f, argnums=(0, 1)), argnums=(0, 1)))(x, k) for f in (ours, theirs)]
    for a, b in zip(*map(jax.tree.leaves, hessians)):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


def test_complex_gradients_are_those_of_jax():
    x, k = draw(6, dtype=np.complex128), draw(3, dtype=np.complex128)
    for real_x, real_k in [(False, False), (True, False), (False, True)]:
        a, b = (x.real if real_x else x), (k.real if real_k else k)
        for f in (lambda y: jnp.sum(jnp.abs(y) ** 2), lambda y: jnp.sum((y * y).real + y.imag)):
            ours = jax.grad(lambda x, k: f(cj.conv(x, k)), argnums=(0, 1))(a, b)
            theirs = jax.grad(lambda x, k: f(jnp.convolve(x, k)), argnums=(0, 1))(a, b)
            for mine, judge in zip(ours, theirs):
                assert mine.dtype == judge.dtype
                np.testing.assert_allclose(mine, judge, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("a, b", [((3, 4), (3, 2)), ((1, 4), (3, 2)), ((3, 4), (1, 2))])
def test_gradients_of_rows(a, b):
    check(lambda A, B: cj.rows(A, B, "same", boundary="symmetric"), draw(*a), draw(*b))


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_operator_is_a_function(dtype):
    k = np.asarray(draw(3, dtype=dtype))
    conv = convmtx.Conv1d(k, 6, "same", boundary="reflect")
    for operator in [conv, conv.H, convmtx.Conv1d(k, 6, boundary=3.0), np.arange(12.0).reshape(2, 6)]:
        A = convmtx.aslinearoperator(operator)
        for batch in [(), (2,), (2, 1)]:
            x = draw(*batch, *A.dims, dtype=dtype)
            np.testing.assert_allclose(cj.apply(operator, x), A.apply(np.asarray(x)), rtol=1e-13)
            if batch == (2,) or operator is conv:
                check(lambda x: cj.apply(operator, x), x)
    x = draw(6)
    check(lambda x: cj.apply(1j * conv, x), x)  # complex operator, real signal


def test_jit_and_vmap_in_any_nesting():
    x, k = draw(3, 2, 6), draw(3, 2)
    each = jnp.stack([jnp.stack([cj.conv(row, kernel) for row in rows]) for rows, kernel in zip(x, k)])
    conv = lambda x, k: cj.conv(x, k)
    np.testing.assert_array_equal(jax.vmap(conv)(x, k), each)
    np.testing.assert_array_equal(jax.jit(jax.vmap(jax.vmap(conv, (0, None))))(x, k), each)
    pairs = jax.vmap(jax.vmap(conv, (None, 0)), (0, None))(x[:, 0], k)  # every signal with every kernel
    np.testing.assert_array_equal(pairs[1, 2], cj.conv(x[1, 0], k[2]))
    loss = lambda k, x: jnp.sum(cj.conv(x, k, boundary="symmetric", mode="same") ** 3)
    grads = jax.jit(jax.vmap(jax.grad(loss), (None, 0)))(k[0], x)
    np.testing.assert_allclose(grads, jnp.stack([jax.grad(loss)(k[0], v) for v in x]), rtol=1e-13)
    total = jax.grad(lambda k: jnp.sum(jax.vmap(loss, (None, 0))(k, x)))(k[0])
    np.testing.assert_allclose(total, grads.sum(0), rtol=1e-12)
    D = convmtx.Difference(6)
    np.testing.assert_array_equal(jax.vmap(lambda v: cj.apply(D, v))(x), cj.apply(D, x))


def test_signals_of_one_kernel_under_vmap_are_one_call(monkeypatch):
    calls = []
    original = convmtx.Conv1d.apply
    monkeypatch.setattr(convmtx.Conv1d, "apply", lambda self, x: calls.append(x.shape) or original(self, x))
    jax.vmap(lambda x: cj.conv(x, jnp.ones(2)))(jnp.ones((50, 8))).block_until_ready()
    assert calls == [(50, 8)]


def test_dtypes_are_those_of_jax():
    f32, f64 = jnp.ones(4, jnp.float32), jnp.ones(2, jnp.float64)
    assert cj.conv(f32, f32).dtype == jnp.float32
    assert cj.conv(f32, f64).dtype == jnp.float64
    assert cj.conv(jnp.ones(4, jnp.bfloat16), jnp.ones(2, int)).dtype == jnp.float32
    assert cj.conv(f32, jnp.ones(2, jnp.complex64)).dtype == jnp.complex64
    assert cj.apply(convmtx.Difference(4), f32).dtype == jnp.float32
    jax.config.update("jax_enable_x64", False)
    assert cj.conv(jnp.ones(4), np.ones(2)).dtype == jnp.float32


def test_what_cannot_be_is_an_error_that_says_why():
    x, k = jnp.zeros(5), jnp.ones(2)
    cases = [
        ("expected one, two or three axes", lambda: cj.conv(x, jnp.ones(()))),
        ("expected at least 2 axes", lambda: cj.conv(x, jnp.ones((2, 2)))),
        ("mode is 'some'", lambda: jax.jit(lambda x: cj.conv(x, k, "some"))(x)),
        ("expected (..., 4)", lambda: cj.apply(convmtx.Identity(4), x)),
        ("expected rows: two axes each", lambda: cj.rows(x, k)),
    ]
    for text, call in cases:
        with pytest.raises(ValueError) as raised:
            call()
        assert text in str(raised.value)
