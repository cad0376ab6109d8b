"""Matrices of convolutions survive SciPy's file formats, entry for entry."""

import numpy as np
import pytest

import convmtx

sparse = pytest.importorskip("scipy.sparse", reason="SciPy is not installed: files of matrices are not tested")
from scipy import io  # noqa: E402

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def matrices(dtype):
    rng = np.random.default_rng(3)
    draw = lambda *shape: (rng.standard_normal(shape) * (1 + (1j if np.dtype(dtype).kind == "c" else 0))).astype(dtype)
    return {
        "band": convmtx.Conv1d(draw(4), 9, "same", boundary="symmetric"),
        "image": convmtx.Conv2d(draw(2, 3), (4, 5), "valid"),
        "columns": convmtx.Conv2d(draw(3, 2), (4, 5), order="F"),
        "empty": convmtx.Conv1d(draw(4), 2, "valid"),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compressed", [False, True])
def test_mat_files(tmp_path, dtype, compressed):
    operators = {name: op for name, op in matrices(dtype).items() if op.shape[0]}
    path = tmp_path / "a.mat"
    io.savemat(path, {name: op.to_scipy("csc") for name, op in operators.items()}, do_compression=compressed)
    read = io.loadmat(path)
    for name, op in operators.items():
        back = read[name]
        assert back.shape == op.shape and back.nnz == op.to_scipy().nnz
        assert np.array_equal(back.toarray(), op.toarray())  # MATLAB has float64 only, which holds them all
        x = np.ones(op.shape[1])
        again = convmtx.aslinearoperator(back)
        np.testing.assert_allclose(again @ x, op @ x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrix_market_files(tmp_path, dtype):
    for name, op in matrices(dtype).items():
        path = tmp_path / f"{name}.mtx"
        matrix = op.to_scipy()
        io.mmwrite(path, matrix)  # as many digits as needed; SciPy 1.17 crashes for float32 with precision=17
        back = io.mmread(path)
        assert back.shape == op.shape and back.nnz == matrix.nnz
        assert np.array_equal(back.toarray().astype(dtype), matrix.toarray())
        if op.shape[0]:
            assert np.array_equal(convmtx.aslinearoperator(back).astype(dtype).toarray(), op.toarray())


@pytest.mark.parametrize("dtype", DTYPES)
def test_npz_files(tmp_path, dtype):
    for name, op in matrices(dtype).items():
        for form in ("csr", "csc", "dia", "coo"):
            sparse.save_npz(tmp_path / f"{name}.npz", op.to_scipy(form))
            back = sparse.load_npz(tmp_path / f"{name}.npz")
            assert back.dtype == dtype and np.array_equal(back.toarray(), op.toarray())


def test_kernels_and_signals_of_mat_files_are_arrays_like_any(tmp_path):
    io.savemat(tmp_path / "x.mat", {"k": np.array([[1.0, 2.0, 3.0]]), "x": np.arange(12.0).reshape(3, 4)})
    read = io.loadmat(tmp_path / "x.mat")  # column-major, rows for vectors
    A = convmtx.RowwiseConv(read["k"], read["x"].shape)
    expected = [np.convolve(row, [1.0, 2, 3]) for row in np.arange(12.0).reshape(3, 4)]
    assert np.array_equal(A @ read["x"], expected)


def test_pictures_have_paths_of_any_kind_and_pixels(tmp_path):
    path = bytes(tmp_path / "grey.png")
    convmtx.io.write_image(path, [[0.0, 1.0]])
    assert np.array_equal(convmtx.io.read_image(path), [[0.0, 1.0]])
    for shape in ((0, 3), (3, 0), (0, 3, 3)):
        with pytest.raises(ValueError, match="empty|pixel|expected at least") as refused:
            convmtx.io.write_image(path, np.zeros(shape))
        assert "reshape" not in str(refused.value)
