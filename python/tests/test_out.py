"""`out=`: the same bits as without, in the memory that was given, wherever it lies; and what is refused."""

import sys
import threading

import numpy as np
import pytest

import convmtx
import operators

PRODUCTS = ["matvec", "rmatvec", "matmat", "rmatmat"]
DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def normal(rng, shape, dtype=np.float64):
    values = rng.normal(size=shape)
    return (values + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else values).astype(dtype)


def rooms(like):
    """Arrays of this shape and dtype, full of NaN: in row order, column order, strided, reversed, and not aligned."""
    shape, dtype, axes = like.shape, like.dtype, like.ndim
    yield np.full(shape, np.nan, dtype)
    yield np.full(shape, np.nan, dtype, order="F")
    yield np.full([2 * n for n in shape], np.nan, dtype)[(slice(None, None, 2),) * axes]
    yield np.full(shape, np.nan, dtype)[(slice(None, None, -1),) * axes]
    record = np.zeros(shape, [("pad", "i1"), ("v", dtype)])
    yield record["v"]
    yield np.full((3, *shape), np.nan, dtype)[1]


def written(product, *operands):
    """The result, after every kind of `out` was seen to receive its bits."""
    expected = product(*operands)
    for out in rooms(expected):
        assert product(*operands, out=out) is out
        assert out.tobytes() == expected.tobytes(), (product, out.strides)
    return expected


def same_layout(v):
    """Of `v`: room in the same layout."""
    return np.full(v.shape, np.nan, v.dtype, order="C" if v.flags.c_contiguous else "F")


@pytest.mark.parametrize("complex_vectors", [False, True])
@pytest.mark.parametrize("name", operators.names())
def test_every_operator_writes_what_it_returns(name, complex_vectors):
    op, rng = operators.named(name), np.random.default_rng(1)
    dtype = np.result_type(op.dtype, np.complex64) if complex_vectors else op.dtype
    m, n = op.shape
    for size, one, many in ((n, op.matvec, op.matmat), (m, op.rmatvec, op.rmatmat)):
        written(one, normal(rng, size, dtype))
        written(one, normal(rng, (size, 1), dtype))
        for count in (1, 3, 5):
            batch = normal(rng, (size, count), dtype)
            for batch in (batch, np.asfortranarray(batch), np.repeat(batch, 2, axis=1)[:, ::2]):
                expected = many(batch)
                assert many(batch, out=(out := same_layout(expected))) is out
                assert np.array_equal(out, expected)  # the same bits where the layout is the same
                for out in rooms(expected):
                    assert many(batch, out=out) is out and np.allclose(out, expected, rtol=1e-4, atol=1e-3)
    for batch in ((), (2,), (2, 3), (1, 1), (0,)):
        written(op.apply, normal(rng, (*batch, *op.dims), dtype))
        written(op.apply_adjoint, normal(rng, (*batch, *op.dimsd), dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_integers_are_exact_in_any_pair_of_layouts(dtype):
    rng = np.random.default_rng(2)
    for engine in ("direct", "separable", "fft"):
        op = convmtx.Conv2d(np.outer([1, 2, -1], [3, 1]), (6, 7), engine=engine, dtype=dtype)
        matrix = op.todense()
        X = rng.integers(-9, 10, (42, 6)).astype(dtype)
        for X in (X, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
            for out in rooms(op.matmat(X)):
                op.matmat(X, out=out)
                assert np.array_equal(out if engine != "fft" else out.round(2), matrix @ X), (engine, X.strides)


@pytest.mark.parametrize("dtype", DTYPES)
def test_column_major_images_in_column_order_are_written_directly(dtype):
    rng = np.random.default_rng(3)
    op = convmtx.Conv2d(normal(rng, (2, 3), dtype), (4, 5), order="F", boundary=2.0)
    image, stack = normal(rng, (4, 5), dtype), normal(rng, (2, 3, 4, 5), dtype)
    assert written(op.apply, image).flags.f_contiguous
    expected = written(op.apply, stack)
    out = np.empty_like(expected)  # NumPy keeps the layout: images by columns, the batch outside
    assert out.strides == expected.strides and not out.flags.c_contiguous
    assert np.array_equal(op.apply(stack, out=out), expected)


def test_constants_of_the_boundary_are_added_in_place():
    op = convmtx.Conv1d([1.0, 1.0, 1.0], 3, "same", boundary=10.0)
    out = np.empty((2, 3))
    assert op.apply(np.ones((2, 3)), out=out) is out and out.tolist() == [[12, 3, 12]] * 2
    assert op.apply(np.ones(3) * 1j, out=(out := np.empty(3, complex))).tolist() == [10 + 2j, 3j, 10 + 2j] == list(out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_that_is_also_read_is_written_last(dtype):
    rng = np.random.default_rng(4)
    op = convmtx.Conv1d(normal(rng, 5), 40, "same", dtype=np.float32)
    for shape in ((40,), (40, 1), (40, 6), (3, 40)):
        v = normal(rng, shape, dtype)
        product = op.apply if shape[0] == 3 else op.matmat if shape == (40, 6) else op.matvec
        for overlap in (lambda v: v, lambda v: v[::-1], lambda v: v[..., ::-1]):
            read = v.astype(np.result_type(op.dtype, dtype))
            expected = product(read)
            assert np.array_equal(product(read, out=overlap(read)), expected)
    whole = normal(rng, 50, dtype).astype(np.result_type(op.dtype, dtype))
    expected = op.matvec(whole[:40].copy())
    assert np.array_equal(op.matvec(whole[:40], out=whole[10:]), expected)
    columns = normal(rng, (40, 4), dtype).astype(whole.dtype)  # interlaced, without a common element
    expected = op.matmat(columns[:, :2].copy())
    assert np.array_equal(op.matmat(columns[:, :2], out=columns[:, 2:]), expected)


def test_kernel_gradients():
    rng = np.random.default_rng(5)
    layer = convmtx.FilterBank.layer(normal(rng, (4, 2, 3, 3)), (6, 5), padding=1)
    x, y = normal(rng, (3, 2, 6, 5)), normal(rng, (3, 4, 6, 5))
    written(layer.adjoint_kernel, x, y)
    written(layer.adjoint_kernel, x[0], y[0] * 1j)
    by_columns = convmtx.Conv2d(normal(rng, (2, 3), np.float32), (4, 5), order="F")
    written(by_columns.adjoint_kernel, normal(rng, (4, 5), np.float32), normal(rng, (5, 7), np.float32))
    with pytest.raises(ValueError, match=r"out has shape \(4, 2, 9\), expected \(4, 2, 3, 3\), that of the result"):
        layer.adjoint_kernel(x, y, out=np.empty((4, 2, 9)))
    with pytest.raises(TypeError, match="out has dtype float32, expected float64"):
        layer.adjoint_kernel(x, y, out=np.empty((4, 2, 3, 3), np.float32))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.complex64, np.float64, np.complex128, np.int32, bool])
@pytest.mark.parametrize("taps", [3, 60])
def test_rows(dtype, taps):
    rng = np.random.default_rng(6)
    draw = lambda *shape: (5 * normal(rng, shape, np.result_type(dtype, np.float32))).astype(dtype)
    shapes = [((4, 50), (4, taps)), ((4, 50), (1, taps)), ((1, 50), (4, taps)), ((50,), (taps,)), ((2, 1, 9), (5, 4))]
    for a, b in shapes:
        for mode in ("full", "same", "valid"):
            A, B = draw(*a), draw(*b)
            written(lambda A, B, out=None: convmtx.convolve_rows(A, B, mode, out=out), A, B)
            rows = written(lambda A, B, out=None: convmtx.convolve_rows(A, B, mode, correlate=True, out=out), A, B)
            constant = lambda A, B, out=None: convmtx.convolve_rows(A, B, mode, boundary=2.5, out=out)
            assert written(constant, A, B).shape == rows.shape
    A = draw(4, 9)
    if A.dtype in convmtx._arrays.ELEMENTS:
        expected = convmtx.convolve_rows(A, A[:, :3], "same")
        assert convmtx.convolve_rows(A, A[:, :3], "same", out=A) is A and np.array_equal(A, expected)
    with pytest.raises(ValueError, match=r"out has shape \(4, 9\), expected \(4, 17\)"):
        convmtx.convolve_rows(A, A, out=A)


def test_integers_beside_float32_are_rounded_once_into_out():
    A, B = np.array([[2**20 + 1, 3]]), np.array([[1.5, 2.0]], np.float32)
    assert convmtx.convolve_rows(A, B).dtype == np.float64
    written(convmtx.convolve_rows, A.astype(np.int16), B)


@pytest.mark.parametrize("product", [*PRODUCTS, "apply", "apply_adjoint"])
def test_what_does_not_fit_is_refused_before_any_work(product):
    op = convmtx.Conv1d([1.0, 2.0], 6, "same")
    v = np.ones((6, 2) if "mat" in product and "vec" not in product else 6)
    call, shape = getattr(op, product), v.shape
    frozen = np.empty(shape)
    frozen.flags.writeable = False
    for out, error, message in [
        (np.empty((7, *shape[1:])), ValueError, r"out has shape \(7.*expected \(6.*that of the result"),
        (np.empty((*shape, 1)), ValueError, "out has shape"),
        (np.empty(shape, np.float32), TypeError, "out has dtype float32, expected float64, that of the result"),
        (np.empty(shape, complex), TypeError, "out has dtype complex128, expected float64"),
        (np.empty(shape, np.int64), TypeError, "out has dtype int64, expected float64"),
        (np.empty(shape, np.dtype(np.float64).newbyteorder()), TypeError, "out has dtype .f8, expected float64"),
        (frozen, ValueError, "out is read-only, expected an array that can be written"),
        (np.broadcast_to(0.0, shape), ValueError, "out is read-only"),
        (v.tolist(), TypeError, "out is a list, expected a numpy.ndarray to write into"),
        (np.ma.masked_array(v), TypeError, "out is a masked array, expected a numpy.ndarray"),
        ((np.empty(shape),), TypeError, "out is a tuple"),
        ("y", TypeError, "out is a str"),
    ]:
        with pytest.raises(error, match=message):
            call(v, out=out)
    with pytest.raises(TypeError, match="out has dtype float64, expected complex128"):
        call(v * 1j, out=np.empty(shape))
    with pytest.raises(TypeError, match="positional"):
        call(v, np.empty(shape))


def test_a_column_stays_one():
    op = convmtx.Conv1d([1.0, 2.0], 6)
    with pytest.raises(ValueError, match=r"out has shape \(7,\), expected \(7, 1\)"):
        op.matvec(np.ones((6, 1)), out=np.empty(7))
    with pytest.raises(ValueError, match=r"out has shape \(7, 1\), expected \(7,\)"):
        op.matvec(np.ones(6), out=np.empty((7, 1)))


def test_files_in_memory(tmp_path):
    out = np.memmap(tmp_path / "y", np.float64, "w+", shape=(6,))
    assert convmtx.Identity(6).matvec(np.arange(6), out=out) is out
    out.flush()
    assert np.fromfile(tmp_path / "y").tolist() == [0, 1, 2, 3, 4, 5]


def test_complex_fields_of_records_are_read_and_written_where_they_are():
    """16 bytes at distances of 24: aligned for NumPy, but no whole number of elements."""
    records = np.zeros(4, [("v", np.complex128), ("other", np.float64)])
    records["v"], records["other"] = np.arange(4) * (1 + 2j), 7
    op = convmtx.Identity(4, np.complex128)
    assert op.matvec(records["v"]).tolist() == records["v"].tolist()
    op.matvec(1j * np.arange(4), out=records["v"])
    assert records["v"].tolist() == [0, 1j, 2j, 3j] and (records["other"] == 7).all()


def test_operators_of_other_packages():
    class Other:
        shape, dtype = (3, 3), np.dtype(np.float64)

        def matvec(self, v):
            if not np.isfinite(v).all():
                raise KeyboardInterrupt
            return 2 * v

        rmatvec = matvec

    op = convmtx.aslinearoperator(Other())
    assert written(op.matvec, np.arange(3.0)).tolist() == [0, 2, 4]
    written(op.matmat, np.arange(12.0).reshape(3, 4))
    with pytest.raises(KeyboardInterrupt):
        op.matvec(np.full(3, np.nan), out=(out := np.zeros(3)))
    assert op.matvec(np.ones(3), out=out).tolist() == [2, 2, 2]  # nothing remains borrowed

    dense = convmtx.aslinearoperator(np.arange(6.0).reshape(2, 3))
    written(dense.matvec, np.arange(3.0))
    written(dense.rmatvec, np.arange(2.0))


def test_memory_that_another_thread_writes_is_refused():
    inside, done = threading.Event(), threading.Event()

    class Waiting:
        shape, dtype = (3, 3), np.dtype(np.float64)

        def matvec(self, v):
            inside.set()
            assert done.wait(60)
            return v

    y, slow = np.zeros(3), convmtx.aslinearoperator(Waiting())
    thread = threading.Thread(target=slow.matvec, args=(np.ones(3),), kwargs={"out": y})
    thread.start()
    try:
        assert inside.wait(60)
        same = convmtx.Identity(3)
        with pytest.raises(ValueError, match="out is in use by a product that still runs, expected memory"):
            same.matvec(np.ones(3), out=y)
        with pytest.raises(ValueError, match="x is in use"):
            same.matvec(y)
    finally:
        done.set()
        thread.join()
    assert y.tolist() == [1, 1, 1] and same.matvec(y, out=np.zeros(3)).tolist() == [1, 1, 1]


def test_threads_write_parts_of_one_array():
    rng = np.random.default_rng(7)
    op = convmtx.Conv1d(normal(rng, 9), 20000, "same")
    x, y = normal(rng, (8, 20000)), np.empty((8, 20000))
    threads = [threading.Thread(target=op.matvec, args=(x[i],), kwargs={"out": y[i]}) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(y, [op.matvec(row) for row in x])


def test_nothing_is_held_on_to():
    out = np.empty(6)
    before = sys.getrefcount(out)
    convmtx.Identity(6).matvec(np.ones(6), out=out)
    assert sys.getrefcount(out) == before
