"""What comes in: arrays of any package, layout and dtype, without a copy where that can be; everything else refused."""

import array
import decimal
import tracemalloc

import numpy as np
import pytest
import scipy.sparse

import convmtx
from convmtx._arrays import as_elements

X = np.arange(1.0, 6)
A = convmtx.Conv1d([1.0, 2.0, 3.0], 5)
EXPECTED = np.convolve(X, [1.0, 2.0, 3.0])


class Interface:
    """An array by __array_interface__ alone."""

    def __init__(self, values):
        self._values = values
        self.__array_interface__ = values.__array_interface__


class Protocol:
    """An array by __array__ alone."""

    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return self._values


class DLPack:
    """An array by DLPack alone."""

    def __init__(self, values):
        self._values = values

    def __dlpack__(self, **settings):
        return self._values.__dlpack__(**settings)

    def __dlpack_device__(self):
        return self._values.__dlpack_device__()


class Gpu:
    """An array on a GPU, as Numba has them."""

    __cuda_array_interface__ = {"shape": (5,), "typestr": "<f8", "data": (0, False), "version": 3}


def unaligned(values):
    memory = np.zeros(values.nbytes + 1, np.uint8)[1:]
    view = memory.view(values.dtype)
    view[:] = values
    assert not view.flags.aligned
    return view


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


SAME_MEMORY = {
    "array": X,
    "reversed": X[::-1].copy()[::-1],
    "every second": np.repeat(X, 2)[::2],
    "read-only": read_only(X),
    "memoryview": memoryview(X),
    "array.array": array.array("d", X),
    "__array_interface__": Interface(X),
    "__array__": Protocol(X),
    "DLPack": DLPack(X),
}


@pytest.mark.parametrize("given", SAME_MEMORY.values(), ids=SAME_MEMORY)
def test_float64_comes_in_without_a_copy(given):
    assert np.array_equal(A @ given, EXPECTED)
    assert np.array_equal(A.matvec(given), EXPECTED)
    memory = given if isinstance(given, np.ndarray) else np.asarray(getattr(given, "_values", given))
    assert np.shares_memory(as_elements(given), memory)


CONVERTED = {
    "list": [1, 2, 3, 4, 5],
    "tuple": (1, 2.0, 3, 4, 5),
    "range": range(1, 6),
    "list of scalars": list(np.float32(X)),
    "python integers as objects": np.array([1, 2, 3, 4, 5], object),
    "unaligned": unaligned(X),
    "byte-swapped": X.astype(">f8"),
    "byte-swapped integers": X.astype(">i4"),
    "byte-swapped float16": X.astype(">f2"),
    "float16": X.astype(np.float16),
    "float32": X.astype(np.float32),
    "bytes of integers": bytearray([1, 2, 3, 4, 5]),
    **{dtype: X.astype(dtype) for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")},
}


@pytest.mark.parametrize("given", CONVERTED.values(), ids=CONVERTED)
def test_everything_else_that_is_numbers_is_converted_exactly(given):
    result = A @ given
    assert result.dtype == np.float64 and np.array_equal(result, EXPECTED)


def test_precision_is_that_of_operator_and_vector():
    narrow = A.astype(np.float32)
    promoted = {"f2": "f4", "f4": "f4", "f8": "f8", "i1": "f8", "?": "f8", "c8": "c8", ">c16": "c16"}
    for dtype, expected in promoted.items():
        result = narrow @ X.astype(dtype)
        assert result.dtype == np.dtype(expected), dtype
    assert np.array_equal(A @ (X > 2), np.convolve(X > 2, [1.0, 2, 3]))


@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_of_any_layout_are_not_copied(order):
    batch = np.asarray(np.arange(20.0).reshape(5, 4), order=order)
    wide = np.zeros((10, 8), order=order)
    wide[::2, ::2] = batch
    for given in (batch, wide[::2, ::2], batch[:, ::-1], batch[::-1], DLPack(batch), Interface(batch)):
        result = A @ given
        expected = np.stack([np.convolve(column, [1.0, 2, 3]) for column in np.asarray(as_elements(given)).T], axis=1)
        assert np.array_equal(result, expected)
        assert np.shares_memory(as_elements(given), given if isinstance(given, np.ndarray) else batch)
    assert np.array_equal(A @ unaligned(X).reshape(5, 1), EXPECTED[:, None])


def test_images_of_any_layout():
    blur = convmtx.Conv2d(np.ones((2, 2)), (3, 4))
    image = np.arange(12.0).reshape(3, 4)
    expected = blur.to_scipy() @ image.ravel()
    turned = image[::-1, ::-1].copy()[::-1, ::-1]
    for given in (image, np.asfortranarray(image), turned, image.tolist(), image.astype(">i2")):
        assert np.array_equal((blur @ given).ravel(), expected)


def test_indices_of_a_sparse_matrix_may_lie_anywhere():
    matrix = scipy.sparse.random_array((30, 20), density=0.3, rng=1, format="csr")
    expected = matrix @ np.arange(20.0)
    for moved in (unaligned, lambda values: np.repeat(values, 2)[::2], read_only):
        matrix.indices, matrix.indptr = moved(matrix.indices), moved(matrix.indptr)
        result = convmtx.aslinearoperator(matrix) @ np.arange(20.0)
        assert np.allclose(result, expected, rtol=1e-14)


BIG = 2**53


@pytest.mark.parametrize(
    "values",
    [
        np.array([BIG + 1, 0, 0, 0, 0]),
        np.array([-BIG - 1, 0, 0, 0, 0]),
        np.array([-(2**63), 0, 0, 0, 0]),
        np.array([2**64 - 1, 0, 0, 0, 0], np.uint64),
        np.array([BIG + 1, 0, 0, 0, 0], ">i8"),
        [2**70, 0, 0, 0, 0],
    ],
)
def test_integers_that_float64_cannot_hold_are_refused(values):
    for call in (
        lambda: A @ values,
        lambda: A.rmatvec(np.append(values, values[:2])),
        lambda: convmtx.Conv1d(values, 3),
    ):
        with pytest.raises(ValueError, match=r"holds the integer .*expected at most 2\*\*53 in magnitude"):
            call()


def test_the_largest_exact_integers_are_accepted():
    assert np.array_equal(convmtx.Identity(2) @ np.array([BIG, -BIG]), [BIG, -BIG])


REFUSED = {
    "longdouble": (X.astype(np.longdouble), TypeError, "float128|longdouble"),
    "clongdouble": (X.astype(np.clongdouble), TypeError, "complex256|clongdouble"),
    "masked": (np.ma.array(X, mask=X > 3), TypeError, r"masked array.*x\.filled\(0\)"),
    "masked without a mask": (np.ma.array(X), TypeError, "masked array"),
    "objects": (np.array([decimal.Decimal(1)] * 5), TypeError, "dtype object"),
    "None": (None, TypeError, "dtype object"),
    "text": ("abcde", TypeError, "dtype <U5"),
    "list of text": (["1"] * 5, TypeError, "dtype <U1"),
    "bytes": (b"abcde", TypeError, "dtype [|]S5"),
    "dates": (np.zeros(5, "M8[s]"), TypeError, "dtype datetime64"),
    "durations": (np.zeros(5, "m8[s]"), TypeError, "dtype timedelta64"),
    "records": (np.zeros(5, [("a", float)]), TypeError, "'a'"),
    "generator": ((i for i in range(5)), TypeError, "dtype object"),
    "ragged": ([[1, 2], [3]], ValueError, "inhomogeneous"),
    "GPU": (Gpu(), TypeError, "on a GPU"),
    "no axes": (np.array(1.0), ValueError, r"x has shape \(\)"),
    "empty": ([], ValueError, r"x has shape \(0,\), expected \(5,\)"),
    "too long": (np.ones(6), ValueError, r"x has shape \(6,\), expected \(5,\)"),
    "row": (np.matrix(X), ValueError, r"x has shape \(1, 5\)"),
    "three axes": (np.ones((5, 1, 1)), ValueError, r"x has shape \(5, 1, 1\)"),
}


@pytest.mark.parametrize("given, error, text", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused_with_a_reason(given, error, text):
    with pytest.raises(error, match=text):
        A @ given
    with pytest.raises(error):
        A.matvec(given)


def test_a_number_is_no_operand_of_matmul():
    for number in (2, 2.0, 1j, np.float32(2), True):
        with pytest.raises(ValueError, match="use \\* instead"):
            A @ number


def test_torch_tensors():
    torch = pytest.importorskip("torch", reason="torch is not installed: its tensors are not tested as input")
    for tensor in (torch.tensor(X), torch.tensor(np.repeat(X, 2))[::2], torch.tensor(X).to(torch.int16)):
        assert np.array_equal(A @ tensor, EXPECTED)
    assert (A.astype("f4") @ torch.tensor(X).half()).dtype == np.float32
    tensor = torch.tensor(X)
    assert np.shares_memory(as_elements(tensor), tensor.numpy())
    batch = torch.ones(4, 5).double().T
    assert np.shares_memory(as_elements(batch), batch.numpy()) and (A @ batch).shape == (7, 4)
    assert np.array_equal(convmtx.Conv1d(torch.tensor([1.0, 2, 3]), 5) @ X, EXPECTED)
    refused = [
        (torch.tensor(X, requires_grad=True), "requires? grad"),
        (torch.zeros(5, device="meta"), "meta"),
        (torch.tensor(X).to_sparse(), "layout"),
        (torch.tensor(X).bfloat16(), "dtype"),
        (torch.tensor(X + 0j).conj(), "conjugate"),
    ]
    for tensor, text in refused:
        with pytest.raises(TypeError, match=f"x of type Tensor cannot be read as an array.*{text}"):
            A @ tensor


def test_jax_arrays():
    jnp = pytest.importorskip("jax.numpy", reason="JAX is not installed: its arrays are not tested as input")
    for values in (jnp.asarray(X), jnp.arange(1, 6), jnp.asarray(X, jnp.float16)):
        assert np.array_equal(A @ values, EXPECTED)
    array = jnp.asarray(X, jnp.float32)
    assert np.shares_memory(as_elements(array), np.from_dlpack(array))
    with pytest.raises(TypeError, match="cannot be read as an array"):
        A @ jnp.ones(5, jnp.bfloat16)


@pytest.mark.parametrize("package", ["numpy", "torch", "jax"])
def test_a_product_allocates_nothing_of_the_size_of_its_input(package):
    """NumPy reports its memory to tracemalloc; the result is the library's memory, which is not reported."""
    n = 1 << 20
    values = np.ones((n,), np.float32)
    if package == "torch":
        torch = pytest.importorskip("torch", reason="torch is not installed: copies of its tensors are not looked for")
        values = torch.from_numpy(values)
    elif package == "jax":
        jnp = pytest.importorskip("jax.numpy", reason="JAX is not installed: copies are not looked for")
        values = jnp.asarray(values)
    conv = convmtx.Conv1d(np.float32([1, 2, 1]), n, "same")
    pictures = convmtx.Conv2d(np.ones((3, 3), np.float32), (1 << 9, 1 << 9), "same")
    for call in (
        lambda: conv.matvec(values),
        lambda: conv.rmatvec(values),
        lambda: conv @ values.reshape(n, 1),
        lambda: pictures.apply(values.reshape(4, 1 << 9, 1 << 9)),
    ):
        call()
        tracemalloc.start()
        try:
            result = call()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert result.size == n and result.dtype == np.float32
        assert peak < n // 8, "a copy was made"
    tracemalloc.start()  # that a copy would have been seen
    conv.matvec(np.ones(n, np.int8))
    assert tracemalloc.get_traced_memory()[1] > n
    tracemalloc.stop()


def test_results_belong_to_the_caller():
    x = X.copy()
    for result in (convmtx.Identity(5) @ x, A @ x, A.apply(x)):
        assert result.flags.writeable and not np.shares_memory(result, x)
    kernel = np.array([1.0, 2.0, 3.0])
    conv = convmtx.Conv1d(kernel, 5)
    kernel[:] = 0
    assert np.array_equal(conv @ X, EXPECTED)
    with pytest.raises(ValueError, match="read-only"):
        conv.kernel[0] = 1


def test_sparse_matrices_come_in_and_go_out():
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is not installed: sparse matrices are not tested")
    matrix = A.to_scipy()
    for form in ("csr", "csc", "coo", "dia", "bsr", "lil", "dok"):
        out = A.to_scipy(form)
        assert out.format == form and isinstance(out, sparse.sparray) and (out != matrix).nnz == 0
        for given in (out, {"csr": sparse.csr_matrix, "coo": sparse.coo_matrix}.get(form, sparse.csc_matrix)(matrix)):
            operator = convmtx.aslinearoperator(given)
            assert np.array_equal(operator @ X, EXPECTED) and np.array_equal(operator.H @ EXPECTED, matrix.T @ EXPECTED)
    duplicated = sparse.coo_array(([1.0, 2.0, 3.0], ([0, 0, 1], [2, 2, 0])), shape=(2, 5))
    assert np.array_equal(convmtx.aslinearoperator(duplicated).todense(), duplicated.toarray())
    unsorted = sparse.csr_array((np.array([1.0, 2.0]), np.array([3, 1]), np.array([0, 2])), shape=(1, 5))
    assert np.array_equal(convmtx.aslinearoperator(unsorted).todense(), [[0, 2, 0, 1, 0]])
    wide = sparse.csr_array((np.ones(1), np.array([4], np.int64), np.array([0, 1], np.int64)), shape=(1, 5))
    assert (convmtx.aslinearoperator(wide) @ X)[0] == 5
    for form in (np.int32, np.int64):
        every = matrix.copy()
        every.indptr, every.indices = matrix.indptr.astype(form), np.repeat(matrix.indices.astype(form), 2)[::2]
        operator = convmtx.aslinearoperator(every)
        assert np.array_equal(operator @ X, EXPECTED) and operator.to_scipy().indices.dtype == form
    for column in (-1, 5, 2**32):
        wide.indices[0], wide.has_canonical_format = column, True
        with pytest.raises(ValueError, match="not a matrix in compressed rows"):
            convmtx.aslinearoperator(wide)
    counts = sparse.csr_array(np.array([[1, 2, 0, 0, 0]]))
    assert np.array_equal(convmtx.aslinearoperator(counts) @ X, [5.0])
    penalised = convmtx.VStack([A, sparse.eye_array(5)])
    assert penalised.shape == (12, 5) and np.array_equal((A @ sparse.eye_array(5)).todense(), matrix.toarray())
    assert (sparse.csr_array(matrix) @ A.H).shape == (7, 7)
