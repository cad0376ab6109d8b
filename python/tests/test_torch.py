"""Functions of torch tensors: both gradients, of every order, and torch's own convolutions."""

import numpy as np
import pytest

import convmtx

torch = pytest.importorskip("torch", reason="torch is not installed: convmtx.torch is not tested")
import convmtx.torch as ct  # noqa: E402

functional = torch.nn.functional
DTYPES = [torch.float64, torch.complex128]
BOUNDARIES = ["zero", "periodic", "symmetric", "reflect", "replicate", "antireflective", 1.5]


def draw(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(*shape, dtype=dtype, generator=generator, requires_grad=True)


def check(f, *inputs):
    """First and second derivatives, forwards by differences and backwards by the functions."""
    assert torch.autograd.gradcheck(f, inputs)
    assert torch.autograd.gradgradcheck(f, inputs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_gradients_in_one_dimension(boundary, dtype):
    for i, (taps, stride, dilation) in enumerate([(4, 1, 1), (1, 2, 1), (3, 3, 2)], BOUNDARIES.index(boundary)):
        mode = ["full", "same", "valid"][i % 3]  # over the boundaries every mode with every triple
        settings = {"boundary": boundary, "stride": stride, "dilation": dilation}
        x, k = draw(2, 7, dtype=dtype), draw(taps, dtype=dtype)
        assert ct.conv(x, k, mode, **settings).shape[-1] > 0
        assert torch.autograd.gradcheck(lambda x, k: ct.conv(x, k, mode, **settings), (x, k)), (mode, settings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_second_derivatives_in_one_dimension(boundary, dtype):
    x, k = draw(2, 4, dtype=dtype), draw(2, dtype=dtype)
    for settings in [{}, {"mode": "same", "stride": 2, "correlate": True}, {"mode": "valid", "dilation": 2}]:
        assert torch.autograd.gradgradcheck(lambda x, k: ct.conv(x, k, boundary=boundary, **settings), (x, k))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("convention", ["matlab", "scipy", "numpy"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_gradients_of_kernels_longer_than_the_signal(mode, convention, dtype):
    x, k = draw(2, 3, dtype=dtype), draw(4, dtype=dtype)
    y = ct.conv(x, k, mode, convention=convention)
    if y.numel():
        check(lambda x, k: ct.conv(x, k, mode, convention=convention), x, k)
    else:
        assert mode == "valid" and convention == "matlab"
        y.abs().sum().backward()
        assert not x.grad.any() and not k.grad.any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mode": "same", "boundary": ("symmetric", "periodic")},
        {"mode": "same", "boundary": (2.0, "reflect"), "correlate": True},
        {"mode": "valid", "stride": (2, 1), "dilation": (1, 2)},
        {"offset": (-1, 1), "output": (3, 2), "boundary": "replicate"},
        {"offset": 1, "stride": 2},
    ],
)
def test_gradients_in_two_dimensions(settings, dtype):
    for batch in [(2,)] if settings else [(), (1, 2)]:
        x, k = draw(*batch, 3, 3, dtype=dtype), draw(2, 2, dtype=dtype)
        assert ct.conv(x, k, **settings).numel() > 0
        check(lambda x, k: ct.conv(x, k, **settings), x, k)


def test_gradients_in_three_dimensions():
    x, k = draw(2, 3, 2, 3), draw(2, 1, 2)
    check(lambda x, k: ct.conv(x, k, "same", boundary="symmetric"), x, k)


def test_a_real_tensor_with_a_complex_one_has_a_real_gradient():
    for x, k in [(draw(2, 5), draw(3, dtype=DTYPES[1])), (draw(2, 5, dtype=DTYPES[1]), draw(3))]:
        for boundary in ("symmetric", 1.5):
            check(lambda x, k: ct.conv(x, k, boundary=boundary), x, k)


def test_single_precision_and_mixed_precision():
    x, k = draw(2, 9, dtype=torch.float32), draw(3, dtype=torch.float64)
    y = ct.conv(x, k)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype, k.grad.dtype) == (torch.float64, torch.float32, torch.float64)
    y = ct.conv(x, k.detach().float())
    assert y.dtype == torch.float32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "a, b, mode",
    [
        ((3, 4), (3, 2), "full"),
        ((3, 4), (3, 2), "same"),
        ((3, 4), (3, 2), "valid"),
        ((1, 4), (3, 2), "same"),
        ((3, 4), (1, 2), "same"),
    ],
)
def test_gradients_of_rows(a, b, mode, dtype):
    check(lambda A, B: ct.rows(A, B, mode, boundary="symmetric"), draw(*a, dtype=dtype), draw(*b, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_operator_is_a_differentiable_function(dtype):
    k = draw(3, dtype=dtype).detach().numpy()
    conv = convmtx.Conv1d(k, 6, "same", boundary="reflect")
    operators = [
        conv,
        conv.H,
        2j * conv if dtype.is_complex else 2 * conv,
        convmtx.VStack([conv, convmtx.Difference(6)]),
        convmtx.Conv1d(k, 6, boundary=3.0),
        convmtx.Conv2d(k[None], (2, 3), order="F"),
        np.arange(12.0).reshape(2, 6),
    ]
    for operator in operators:
        dims = convmtx.aslinearoperator(operator).dims
        for batch in [(), (2,), (2, 1)]:
            x = draw(*batch, *dims, dtype=dtype)
            if batch == (2,) or operator is conv:
                check(lambda x: ct.apply(operator, x), x)
            expected = convmtx.aslinearoperator(operator).apply(x.detach().numpy())
            assert np.array_equal(ct.apply(operator, x).detach().numpy(), expected)


def both(f, g, *inputs):
    """Values and gradients of two functions agree."""
    results = []
    for function in (f, g):
        for v in inputs:
            v.grad = None
        y = function(*inputs)
        (y * torch.arange(y.numel(), dtype=y.dtype).reshape(y.shape).cos()).sum().backward()
        results.append([y.detach(), *(v.grad.clone() for v in inputs)])
    for ours, theirs in zip(*results):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("taps", [1, 2, 5, 6])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_torch_conv1d_agrees(taps, stride, dilation):
    x, k = draw(3, 1, 20), draw(taps)
    for padding in (0, 1, 3):
        length = (20 + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        start = dilation * (taps - 1) - padding
        both(
            lambda x, k: functional.conv1d(x, k[None, None], padding=padding, stride=stride, dilation=dilation),
            lambda x, k: ct.conv(x, k, offset=start, output=length, stride=stride, dilation=dilation, correlate=True),
            x,
            k,
        )


@pytest.mark.parametrize(
    "padding_mode, boundary",
    [("circular", "periodic"), ("reflect", "reflect"), ("replicate", "replicate"), ("constant", 0.7)],
)
def test_torch_conv2d_agrees(padding_mode, boundary):
    x, k = draw(2, 1, 8, 9), draw(3, 5)
    more = {"value": 0.7} if padding_mode == "constant" else {}

    def theirs(x, k):
        return functional.conv2d(functional.pad(x, (2, 2, 1, 1), mode=padding_mode, **more), k[None, None])

    both(theirs, lambda x, k: ct.conv(x, k, "same", boundary=boundary, correlate=True), x, k)
    both(
        lambda x, k: functional.conv2d(x, k[None, None], padding=(1, 2), stride=(2, 3)),
        lambda x, k: ct.conv(x, k, "same", stride=(2, 3), correlate=True),
        x,
        k,
    )


def test_torch_func_transforms():
    x, k = draw(3, 6).detach(), draw(2).detach()
    grad = torch.func.grad(lambda k, x: ct.conv(x, k, "same").square().sum())
    expected = torch.stack([grad(k, row) for row in x])
    torch.testing.assert_close(torch.func.vmap(grad, in_dims=(None, 0))(k, x), expected)
    kernels = draw(4, 2).detach()
    torch.testing.assert_close(
        torch.func.vmap(lambda k: ct.conv(x, k))(kernels), torch.stack([ct.conv(x, k) for k in kernels])
    )
    D = convmtx.Difference(6)
    torch.testing.assert_close(torch.func.vmap(lambda row: ct.apply(D, row))(x), ct.apply(D, x))


def test_optimising_a_kernel_recovers_it():
    x, truth = draw(4, 30).detach(), torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    y = ct.conv(x, truth)
    k = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([k], max_iter=50, tolerance_grad=1e-12)

    def loss():
        optimiser.zero_grad()
        value = (ct.conv(x, k) - y).square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    torch.testing.assert_close(k.detach(), truth, rtol=1e-6, atol=1e-6)


def test_memory_layouts_and_lazy_conjugates():
    x = draw(6, 4, dtype=torch.complex128).detach()
    k = draw(2, dtype=torch.complex128).detach()
    for view in (x.T, x[:, ::2], x.conj(), x[None].expand(3, 6, 4), x.imag, torch._neg_view(x)):
        expected = convmtx.Conv1d(k.numpy(), view.shape[-1]).apply(view.resolve_conj().resolve_neg().numpy().copy())
        np.testing.assert_allclose(ct.conv(view, k).numpy(), expected, rtol=1e-14, atol=1e-15)


def test_what_cannot_be_is_an_error_that_says_why():
    x, k = torch.zeros(5), torch.ones(2)
    cases = [
        (TypeError, "device meta, expected the CPU", lambda: ct.conv(x.to("meta"), k)),
        (TypeError, "x has dtype torch.bfloat16", lambda: ct.conv(x.bfloat16(), k)),
        (TypeError, "kernel has dtype torch.int64", lambda: ct.conv(x, torch.tensor([1, 2]))),
        (TypeError, "kernel is a list, expected a tensor", lambda: ct.conv(x, [1, 2])),
        (TypeError, "expected a dense tensor", lambda: ct.conv(x.to_sparse(), k)),
        (ValueError, "expected one, two or three axes", lambda: ct.conv(x, torch.ones(()))),
        (ValueError, "expected at least 2 axes", lambda: ct.conv(x, torch.ones(2, 2))),
        (ValueError, "mode is 'some'", lambda: ct.conv(x, k, "some")),
        (ValueError, "expected (..., 4)", lambda: ct.apply(convmtx.Identity(4), x)),
        (ValueError, "expected rows: two axes each", lambda: ct.rows(x, k)),
    ]
    for error, text, call in cases:
        with pytest.raises(error) as raised:
            call()
        assert text in str(raised.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: only meta tensors are refused here")
def test_cuda_tensors_are_refused():
    with pytest.raises(TypeError, match="on the device cuda:0, expected the CPU"):
        ct.conv(torch.zeros(3, device="cuda"), torch.ones(2))
