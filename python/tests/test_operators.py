"""Operators are the definition: products, matrices, adjoints, algebra, dtypes, refusals."""

import gc
import weakref

import numpy as np
import pytest

import convmtx
import naive

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def integers(rng, shape, dtype=np.float64):
    values = rng.integers(-9, 10, shape).astype(dtype)
    if np.issubdtype(dtype, np.complexfloating):
        values = values + 1j * rng.integers(-9, 10, shape)
    return values.astype(dtype)


def every_operator(rng, dtype):
    """One of each kind, with integer entries."""
    draw = lambda *shape: integers(rng, shape, dtype)
    conv = convmtx.Conv1d(draw(3), 5, "same", boundary="symmetric")
    return [
        conv,
        convmtx.Conv2d(draw(2, 3), (4, 5), boundary=("periodic", "reflect"), mode="same"),
        convmtx.Conv2d(draw(2, 3), (4, 5), order="F", correlate=True),
        convmtx.Conv3d(draw(2, 1, 2), (3, 2, 4), stride=(1, 2, 1), dilation=(1, 1, 2)),
        convmtx.RowwiseConv(draw(3, 2), (3, 4), correlate=True),
        convmtx.RowwiseConv(draw(1, 2), (3, 4)),
        convmtx.RowwiseConv(draw(3, 2), (1, 4)),
        convmtx.FilterBank(draw(3, 2, 2), (4, 3), "valid"),
        convmtx.Layer(draw(4, 2, 3), 7, padding=1, stride=2, groups=2),
        convmtx.Layer(draw(4, 3, 2, 2), (3, 4), transposed=True, stride=2, groups=2, output_padding=1),
        conv.kernel_operator(draw(5)),
        convmtx.Layer(draw(4, 3, 2, 2), (3, 4), transposed=True, groups=2).kernel_operator(draw(4, 3, 4)),
        convmtx.Conv1d(draw(3), 5, correlate=True).kernel_operator(draw(5)),
        convmtx.Identity((2, 3), dtype),
        convmtx.Diagonal(draw(2, 3)),
        convmtx.Difference(6, 2, dtype),
        convmtx.Gradient2d((3, 4), dtype),
        convmtx.VStack([conv, 2 * conv]),
        convmtx.HStack([conv, conv.H]),
        convmtx.BlockDiagonal([conv, convmtx.Difference(3, dtype=dtype)]),
        conv @ conv - 3 * conv.T + conv.H**2,
        convmtx.aslinearoperator(conv.to_scipy()),
        convmtx.aslinearoperator(draw(3, 4)),
    ]


def test_one_dimension_is_the_definition():
    rng = np.random.default_rng(1)
    compared = 0
    for (n, taps), (mode, convention), boundary, (stride, dilation) in naive.geometries():
        x, k = integers(rng, n), integers(rng, taps)
        span = (taps - 1) * dilation + 1
        offset, length = naive.window(mode, convention, n, span)
        settings = {"boundary": boundary, "stride": stride, "dilation": dilation}
        expected = naive.convolve(x, k, offset, -(-length // stride), **settings)
        conv = convmtx.Conv1d(k, n, mode, convention=convention, **settings)
        assert np.array_equal(conv.apply(x), expected), (n, taps, mode, convention, settings)
        matrix = conv.to_scipy()
        constant = conv.constant_term()
        linear = expected if constant is None else expected - constant
        assert np.array_equal(matrix @ x, linear)
        y = integers(rng, len(linear))
        assert np.array_equal(conv.rmatvec(y), matrix.T @ y)
        assert np.array_equal(conv.normal_matrix().toarray(), (matrix.T @ matrix).toarray())
        shifted = convmtx.Conv1d(k, n, offset=offset, output=len(expected), **settings)
        assert np.array_equal(shifted.apply(x), expected)
        compared += 1
    assert compared == 8 * 7 * 7 * 4


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_two_and_three_dimensions_are_the_definition(mode):
    rng = np.random.default_rng(2)
    for kernel, shape in [((1, 1), (1, 1)), ((2, 3), (4, 5)), ((5, 2), (3, 3)), ((2, 1, 3), (3, 4, 2))]:
        x, k = integers(rng, shape), integers(rng, kernel)
        conv = {2: convmtx.Conv2d, 3: convmtx.Conv3d}[len(shape)](k, shape, mode)
        assert np.array_equal(conv @ x, naive.convolve_nd(x, k, mode))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_product_is_the_matrix(dtype):
    rng = np.random.default_rng(3)
    for op in every_operator(rng, dtype):
        matrix = op.todense()
        m, n = op.shape
        assert matrix.shape == (m, n) and op.dtype == matrix.dtype == dtype
        assert np.array_equal(op.to_scipy().toarray(), matrix), op
        x, y = integers(rng, n, dtype), integers(rng, m, dtype)
        assert np.array_equal(op.matvec(x), matrix @ x), op
        assert np.array_equal(op.rmatvec(y), matrix.conj().T @ y), op
        assert np.array_equal(op.T @ y, matrix.T @ y) and np.array_equal(op.H @ y, matrix.conj().T @ y)
        assert np.array_equal(op.conj() @ x, matrix.conj() @ x)
        batch = integers(rng, (n, 6), dtype)
        for layout in (batch, np.asfortranarray(batch), batch[:, ::2], batch[:, ::-1]):
            product = op.matmat(layout)
            assert np.array_equal(product, matrix @ layout) and product.dtype == dtype
        assert np.array_equal(op.rmatmat(integers(rng, (m, 3), dtype)).shape, (n, 3))
        assert np.array_equal(y @ op, y @ matrix)
        assert op.dottest(), op


def test_arrays_of_the_shape_of_the_signal():
    rng = np.random.default_rng(4)
    for op in every_operator(rng, np.float64):
        x = integers(rng, op.dims)
        y = op @ x
        assert y.shape == op.dimsd
        stack = integers(rng, (2, 3, *op.dims))
        several = op.apply(stack)
        assert several.shape == (2, 3, *op.dimsd)
        assert np.array_equal(several[1, 2], op.apply(stack[1, 2])), op
        back = op.apply_adjoint(several)
        assert back.shape == stack.shape
        assert np.array_equal(back[0, 1], op.apply_adjoint(several[0, 1])), op


def test_column_major_images_are_matlabs_vectors():
    rng = np.random.default_rng(5)
    k, x = integers(rng, (2, 3)), integers(rng, (4, 5))
    by_rows, by_columns = convmtx.Conv2d(k, x.shape), convmtx.Conv2d(k, x.shape, order="F")
    assert np.array_equal(by_columns @ x.ravel("F"), (by_rows @ x).ravel("F"))
    assert np.array_equal(by_columns @ x, by_rows @ x)
    assert np.array_equal(by_columns.adjoint_kernel(x, by_rows @ x), by_rows.adjoint_kernel(x, by_rows @ x))
    assert np.array_equal(by_columns.kernel_operator(x) @ k, by_rows @ x)


@pytest.mark.parametrize("operator_dtype", DTYPES)
@pytest.mark.parametrize("vector_dtype", DTYPES)
def test_dtypes_follow_numpys_promotion(operator_dtype, vector_dtype):
    rng = np.random.default_rng(6)
    op = convmtx.Conv1d(integers(rng, 3, operator_dtype), 6)
    x, batch = integers(rng, 6, vector_dtype), integers(rng, (6, 5), vector_dtype)
    expected = np.result_type(operator_dtype, vector_dtype)
    for product, dense in ((op @ x, op.todense() @ x), (op @ batch, op.todense() @ batch), (op.H @ (op @ x), None)):
        assert product.dtype == expected
        assert dense is None or np.array_equal(product, dense)


def test_kernel_gradients_are_adjoints_for_every_kind():
    rng = np.random.default_rng(7)
    for dtype in (np.float64, np.complex128):
        for op in every_operator(rng, dtype)[:10]:
            x, y = integers(rng, op.dims, dtype), integers(rng, op.dimsd, dtype)
            gradient = op.adjoint_kernel(x, y)
            assert gradient.shape == op.kernel.shape
            h = op.kernel_operator(x)
            assert np.array_equal(h @ op.kernel, op @ x), op
            assert np.array_equal((h.H @ y.ravel(op.order)).reshape(op.kernel.shape, order=op.order), gradient), op
            assert np.vdot(y, op @ x) == np.vdot(gradient, op.kernel), op


def test_bands_and_diagonals_are_scipys():
    from scipy import linalg, sparse

    conv = convmtx.Conv1d([1.0, 5.0, 2.0], 8, "same", boundary="symmetric")
    bandwidths, ab = conv.to_banded()
    b = np.arange(8.0)
    assert np.allclose(conv @ linalg.solve_banded(bandwidths, ab, b), b)
    data, offsets = conv.to_diagonals()
    assert np.array_equal(sparse.dia_array((data, offsets), shape=conv.shape).toarray(), conv.todense())
    with pytest.raises(ValueError, match="not possible"):
        convmtx.Conv1d([1.0, 2.0], 8, "same", boundary="periodic").to_banded()
    with pytest.raises(ValueError, match="one-dimensional"):
        convmtx.RowwiseConv([[1.0]], (1, 2))._description.banded(False)


def test_matrices_share_their_memory_with_scipy():
    matrix = convmtx.Conv1d([1.0, 2.0], 100).to_scipy()
    for array in (matrix.data, matrix.indices, matrix.indptr):
        while isinstance(array, np.ndarray):
            assert not array.flags.owndata
            array = array.base
        assert type(array).__name__ == "PySliceContainer"  # the library's own memory
    assert matrix.indices.dtype == np.int32 and matrix.indptr.dtype == np.int32
    zeros = convmtx.Conv1d([1.0, 0.0, 2.0], 10)
    assert zeros.to_scipy().nnz == 20 and zeros.to_scipy(keep_zeros=True).nnz == 30
    for form in ("csr", "csc", "coo", "dia", "bsr", "lil", "dok"):
        assert zeros.to_scipy(form).format == form
        assert np.array_equal(zeros.to_scipy(form).toarray(), zeros.todense())


def test_ascending_summation_has_the_bits_of_the_matrix():
    rng = np.random.default_rng(8)
    k, x = rng.normal(size=31), rng.normal(size=4000)
    conv = convmtx.Conv1d(k, 4000, "same", boundary="reflect", summation="ascending")
    assert np.array_equal(conv @ x, conv.to_scipy() @ x)
    matrix = convmtx.aslinearoperator(conv.to_scipy(), summation="ascending")
    batch = rng.normal(size=(4000, 5))
    for batch in (batch, np.asfortranarray(batch), np.repeat(batch, 2, axis=1)[:, ::2]):
        assert np.array_equal(matrix @ batch, conv.to_scipy() @ batch)
        assert np.array_equal(matrix.H @ batch, conv.H @ batch)
    assert np.array_equal(matrix @ x, conv @ x)
    with pytest.raises(ValueError, match="summation"):
        convmtx.aslinearoperator(conv.to_scipy(), summation="sorted")


def test_zero_size_outputs():
    conv = convmtx.Conv1d([1.0, 2.0, 3.0], 2, "valid")
    assert conv.shape == (0, 2) and conv.to_scipy().shape == (0, 2)
    assert (conv @ np.ones(2)).shape == (0,) and np.array_equal(conv.H @ np.ones(0), np.zeros(2))
    assert (conv @ np.ones((2, 0))).shape == (0, 0)
    assert convmtx.Conv1d([1.0], 3).apply(np.ones((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: convmtx.Conv1d([], 3), ValueError, "kernel is empty"),
        (lambda: convmtx.Conv1d([1.0], 0), ValueError, "signal is empty"),
        (lambda: convmtx.Conv1d([1.0], -1), ValueError, "at least"),
        (lambda: convmtx.Conv1d([1.0], 2.5), TypeError, "whole number"),
        (lambda: convmtx.Conv1d([[1.0]], 3), ValueError, "expected 1 axes"),
        (lambda: convmtx.Conv1d([1.0], 3, "sane"), ValueError, "'full', 'same', 'valid'"),
        (lambda: convmtx.Conv1d([1.0], 3, 2), TypeError, "mode is 2"),
        (lambda: convmtx.Conv1d([1.0], 3, boundary="mirror"), ValueError, "'symmetric'"),
        (lambda: convmtx.Conv1d([1.0], 3, boundary=float("nan")), ValueError, "finite"),
        (lambda: convmtx.Conv1d([1.0], 3, boundary=1j), TypeError, "complex"),
        (lambda: convmtx.Conv1d([1.0], 3, convention="octave"), ValueError, "'scipy'"),
        (lambda: convmtx.Conv1d([1.0], 3, stride=0), ValueError, "stride"),
        (lambda: convmtx.Conv1d([1.0], 3, output=3), ValueError, "without offset"),
        (lambda: convmtx.Conv1d([1.0], 3, engine="cuda"), ValueError, "'direct'"),
        (lambda: convmtx.Conv1d([1.0], 2**62), ValueError, "2\\^61|overflow"),
        (lambda: convmtx.Conv1d(["a"], 3), TypeError, "dtype"),
        (lambda: convmtx.Conv1d([1 + 1j], 3, dtype=np.float64), TypeError, "complex"),
        (lambda: convmtx.Conv1d([2**53 + 1], 3), ValueError, "2\\*\\*53"),
        (lambda: convmtx.Conv2d(np.ones((2, 2)), 5), ValueError, "shape of the signal"),
        (lambda: convmtx.Conv2d(np.ones((2, 2)), (5, 5), boundary=("zero",)), ValueError, "one per axis"),
        (lambda: convmtx.Conv2d(np.ones((2, 2)), (5, 5), order="K"), ValueError, "'C' or 'F'"),
        (lambda: convmtx.RowwiseConv(np.ones((2, 3)), (3, 4)), ValueError, "kernel rows"),
        (lambda: convmtx.FilterBank(np.ones(3), 5), ValueError, "axes"),
        (lambda: convmtx.Layer(np.ones((3, 2, 9)), 5), ValueError, "length of the kernel"),
        (lambda: convmtx.Layer(np.ones((3, 2, 1)), 5, groups=2), ValueError, "multiple"),
        (lambda: convmtx.Conv1d([1.0], 4) @ np.ones(3), ValueError, "expected \\(4,\\)"),
        (lambda: convmtx.Conv1d([1.0], 4).matvec(np.ones((2, 2))), ValueError, "expected \\(4,\\)"),
        (lambda: convmtx.Conv1d([1.0], 4).matmat(np.ones(4)), ValueError, "one signal per column"),
        (lambda: convmtx.Conv1d([1.0], 4) + convmtx.Conv1d([1.0], 5), ValueError, "as A"),
        (lambda: convmtx.Conv1d([1.0, 1], 4) @ convmtx.Conv1d([1.0], 5), ValueError, "columns of A"),
        (lambda: convmtx.Conv1d([1.0, 1], 4) ** 2, ValueError, "square"),
        (lambda: convmtx.VStack([]), ValueError, "at least one"),
        (lambda: convmtx.aslinearoperator(3), TypeError, "no operator"),
        (lambda: convmtx.Conv1d([1.0], 10**14).to_scipy(), MemoryError, "bytes"),
    ],
)
def test_refusals_say_what_is_wrong(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_threads_are_counted_and_change_nothing():
    rng = np.random.default_rng(9)
    conv = convmtx.Conv1d(rng.normal(size=63), 50_000, "same")
    x = rng.normal(size=50_000)
    before = convmtx.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            convmtx.set_num_threads(threads)
            assert convmtx.get_num_threads() == threads
            results.append(conv @ x)
        assert all(np.array_equal(results[0], result) for result in results)
    finally:
        convmtx.set_num_threads(0)
    assert convmtx.get_num_threads() == before


class Foreign:
    """An operator of another package: whatever `product` does."""

    def __init__(self, product, dtype=np.float64):
        self.shape, self.dtype, self.matvec, self.rmatvec = (3, 3), np.dtype(dtype), product, product


def test_a_foreign_operator_dies_with_its_last_name():
    operator = convmtx.aslinearoperator(Foreign(lambda v: v))
    assert np.array_equal(operator @ np.ones(3), np.ones(3))
    alive = weakref.ref(operator)
    del operator
    gc.collect()
    assert alive() is None


def test_a_foreign_result_is_never_narrowed():
    for product, found in [
        (lambda v: 1j * v, "complex, expected float64"),
        (lambda v: v.astype(np.longdouble), "float128|longdouble|float96"),
        (lambda v: v.astype(str), "expected float32"),
    ]:
        with pytest.raises(TypeError, match=f"the result of matvec.*({found})"):
            convmtx.aslinearoperator(Foreign(product)) @ np.ones(3)


def test_matrices_of_others_are_copied_in_and_out():
    dense = np.eye(3)
    operator = convmtx.aslinearoperator(dense)
    dense[:] = 5
    assert np.array_equal(operator @ np.ones(3), np.ones(3))

    sparse = pytest.importorskip("scipy.sparse")
    operator = convmtx.aslinearoperator(sparse.eye_array(3, format="csr"))
    operator.to_scipy().data[:] = 5
    assert np.array_equal(operator.to_scipy() @ np.ones(3), np.ones(3))
    assert np.array_equal(operator.astype(np.complex64) @ np.ones(3), np.ones(3))


@pytest.mark.parametrize("name", ["mode", "engine", "summation", "convention", "boundary"])
@pytest.mark.parametrize("value", [None, ["same"], object()])
def test_a_word_that_is_none_is_named(name, value):
    with pytest.raises((TypeError, ValueError), match=f"^{name} is"):
        convmtx.Conv1d([1.0, 2.0], 5, **{name: value})


@pytest.mark.parametrize("name", ["stride", "dilation"])
def test_steps_begin_at_one(name):
    for value in (0, -1):
        with pytest.raises(ValueError, match=f"{name} is {value}, expected at least 1"):
            convmtx.Conv1d([1.0], 5, **{name: value})
        with pytest.raises(ValueError, match=f"{name} is {value}, expected at least 1"):
            convmtx.Layer(np.ones((1, 1, 2)), 5, **{name: value})


def test_a_shape_within_a_shape_is_named():
    for make in (convmtx.Gradient2d, lambda shape: convmtx.Conv2d(np.ones((2, 2)), shape)):
        with pytest.raises(TypeError, match=r"is \[3\], expected a whole number"):
            make(([3], 3))


def test_integers_of_any_size_scale_and_continue():
    a = convmtx.Conv1d([1.0, 1.0], 2, boundary=10**30)
    assert np.array_equal((10**30 * a) @ np.ones(2), 1e30 * (a @ np.ones(2)))
    assert a.apply(np.zeros(2))[0] == 1e30


def test_the_seed_of_a_dot_test_has_64_bits():
    for seed in (-1, 2**64):
        with pytest.raises(ValueError, match="^seed is"):
            convmtx.Identity(2).dottest(seed)


def test_an_unknown_format_is_refused_before_the_matrix_is_built():
    huge = convmtx.Conv1d(np.ones(1000), 10**14)
    for operator in (huge, 2 * huge):
        for word in ("cst", None, 0):
            with pytest.raises(ValueError, match="^format is .* expected one of 'csr'"):
                operator.to_scipy(word)


def test_beyond_a_corner_the_last_axis_decides():
    around = dict(offset=(-1, -1), output=(3, 3))
    for boundary, corner in (([3.0, 5.0], 5.0), (["zero", 3.0], 3.0), ([3.0, "zero"], 0.0)):
        assert convmtx.Conv2d([[1.0]], (1, 1), boundary=boundary, **around).apply([[0.0]])[0, 0] == corner


@pytest.mark.parametrize("n", [3, 2000])  # small enough for one thread, and not
def test_exceptions_of_foreign_operators_are_raised_as_they_are(n):
    from scipy.sparse.linalg import LinearOperator

    def fail(v):
        raise KeyError("mine")

    op = convmtx.aslinearoperator(LinearOperator((n, n), matvec=fail, rmatvec=fail, dtype=np.float64))
    products = [lambda: op @ np.ones(n), lambda: op.H @ np.ones((n, 2)), op.dottest]
    for product in [*products, lambda: (convmtx.Conv1d([1.0, 2.0], n) @ op) @ np.ones(n)]:
        with pytest.raises(KeyError, match="mine"):
            product()


@pytest.mark.parametrize("dtype", DTYPES)
def test_updating_a_matrix_is_building_it(dtype):
    rng = np.random.default_rng(21)
    draw = lambda *shape: integers(rng, shape, dtype)

    def pairs():
        for boundary in ("zero", "periodic", "symmetric"):
            for stride in (1, 2):
                yield [convmtx.Conv1d(draw(5), 40, "same", boundary=boundary, stride=stride) for _ in range(2)]
                yield [convmtx.Conv2d(draw(3, 4), (9, 8), boundary=boundary, stride=stride) for _ in range(2)]
        yield [convmtx.RowwiseConv(draw(3, 2), (3, 7)) for _ in range(2)]
        yield [convmtx.FilterBank(draw(3, 2, 2), (6, 5), "valid") for _ in range(2)]

    for old, new in pairs():
        matrix, expected = old.to_scipy(keep_zeros=True), new.to_scipy(keep_zeros=True)
        data, pattern = matrix.data, (matrix.indptr.copy(), matrix.indices.copy())
        assert new.update_matrix(matrix) is None
        assert matrix.data is data and data.tobytes() == expected.data.tobytes()
        assert all(np.array_equal(a, b) for a, b in zip(pattern, (matrix.indptr, matrix.indices)))


def test_updating_with_wide_indices_and_the_older_class():
    sparse = pytest.importorskip("scipy.sparse")
    op = convmtx.Conv1d([1.0, 2.0, 3.0], 6, "same")
    matrix = sparse.csr_matrix(op.to_scipy() * 0.0)
    matrix.indptr, matrix.indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    op.update_matrix(matrix)
    assert (matrix.toarray() == op.todense()).all()


def test_updating_refuses_other_matrices_and_leaves_them():
    op = convmtx.Conv1d([1.0, 2.0, 3.0], 6, "same")

    def refused(matrix, error, message):
        before = matrix.copy()
        with pytest.raises(error, match=message):
            op.update_matrix(matrix)
        assert (matrix.toarray() == before.toarray()).all()

    refused(op.to_scipy("csc"), TypeError, "matrix is csc, expected a SciPy array in compressed rows")
    refused(op.astype(np.float32).to_scipy(), TypeError, "matrix has dtype float32, expected float64")
    refused(convmtx.Conv1d(np.ones(3), 7, "same").to_scipy(), ValueError, r"shape \[7, 7\], expected \[6, 6\]")
    refused(convmtx.Conv1d([1.0, 0.0, 3.0], 6, "same").to_scipy(), ValueError, "1 entries in row 0, expected 2")
    for name, place, value, message in [
        ("indptr", -1, 100, "entries in row 5"),
        ("indptr", 2, -7, "less than no entries in row 1"),
        ("indptr", 0, -1, "first row pointer is -1"),
        ("indices", 0, 3, "column 3 at entry 0 of row 0, expected 0"),
    ]:
        matrix = op.to_scipy()
        getattr(matrix, name)[place] = value
        before = matrix.data.copy()
        with pytest.raises(ValueError, match=message):
            op.update_matrix(matrix)
        assert (matrix.data == before).all()
    matrix = op.to_scipy()
    matrix.data.flags.writeable = False
    refused(matrix, TypeError, "data is not writable")
    short = op.to_scipy()
    short.indices = short.indices[:-1]
    with pytest.raises(ValueError, match="the columns of the matrix has length 15, expected 16"):
        op.update_matrix(short)
    with pytest.raises(TypeError, match="matrix is ndarray"):
        op.update_matrix(np.eye(6))


def test_outer_products_are_found_and_said():
    g = np.exp(-0.02 * np.arange(-12, 13) ** 2)
    image = np.random.default_rng(1).standard_normal((90, 70))
    op = convmtx.Conv2d(np.outer(g, g), image.shape, "same", boundary="reflect")
    assert op.engine == "separable" and "an outer product" in op.explain()
    direct = convmtx.Conv2d(np.outer(g, g), image.shape, "same", boundary="reflect", engine="direct")
    np.testing.assert_allclose(op.apply(image), direct.apply(image), rtol=1e-12, atol=1e-12)
    assert op.dottest().passed
    ascending = convmtx.Conv2d(np.outer(g, g), image.shape, "same", summation="ascending")
    assert ascending.engine == "direct"
    rank = convmtx.Conv2d(np.random.default_rng(2).standard_normal((5, 4)), (9, 8), engine="separable")
    assert rank.engine == "separable" and rank.dottest().passed
    with pytest.raises(ValueError, match="take the direct engine"):
        convmtx.Conv1d([1.0, 2.0], 5, engine="separable") @ np.ones(5)
