#===- test_torch_gpu.py - PyTorch on a GPU ---------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""What ctc and ctc.torch do on a GPU: results, gradients, compiled programs,
CUDA graphs, streams and threads.

With CTC_GPU_DRY_RUN set, the tests run on the host as far as they can: so
gpu_folder.py compiles every bundle they ask for, and learns of their mistakes.
"""

import os
import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no PyTorch here")

import ctc
import ctc.torch as ctorch
from test_torch import MODULES, integers, pair
from torch import nn

DRY = bool(os.environ.get("CTC_GPU_DRY_RUN"))
DEVICE = "cpu" if DRY else "cuda"
pytestmark = pytest.mark.gpu

SHAPE, WEIGHT, OUTPUT = (2, 8, 16, 16), (8, 4, 4, 4), (2, 4, 32, 32)
LAYER = {"stride": 2, "padding": 1, "bias": True}


@pytest.fixture(autouse=True)
def exact_convolutions():
    """PyTorch's own convolutions in float32, to compare with."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


def only_on_a_gpu():
    if DRY:
        pytest.skip("dry run: compiled, not run")


@pytest.fixture(scope="module")
def bundle(cache):
    return ctc.compile(input=(None, *SHAPE[1:]), weight=WEIGHT,
                       chips=ctc.chip_of(DEVICE), **LAYER)


@pytest.fixture
def prepared(bundle):
    """A layer of small integers and torch's module with the same."""
    torch.manual_seed(0)
    module = nn.ConvTranspose2d(8, 4, 4, 2, 1).to(DEVICE)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(integers(*parameter.shape))
    weight, bias = (p.detach() for p in module.parameters())
    return bundle.prepare(weight, bias), module


def expected(module, x):
    """On the host, where PyTorch's sums of small integers are exact."""
    with torch.no_grad():
        return nn.functional.conv_transpose2d(
            x.float().cpu(), module.weight.cpu(), module.bias.cpu(), 2, 1)


def samples(device=DEVICE):
    return integers(*SHAPE).to(device)


# -- Prepared layers ---------------------------------------------------------

def test_layer(prepared):
    layer, module = prepared
    x = samples()
    y = layer(x)
    assert y.device == x.device and y.shape == OUTPUT
    assert torch.equal(y.cpu(), expected(module, x))
    assert layer.device == ("cpu" if DRY else "cuda:0")
    assert layer.uses_ptx == DRY


def test_out(prepared):
    layer, module = prepared
    x = samples()
    out = torch.full(OUTPUT, torch.nan, device=DEVICE)
    assert layer(x, out=out) is out
    assert torch.equal(out.cpu(), expected(module, x))


def test_memory_is_torchs(prepared):
    """A call takes memory from torch's allocator, and none beside it."""
    layer, _ = prepared
    only_on_a_gpu()
    x = samples()
    layer(x)
    torch.cuda.synchronize()
    own = torch.cuda.memory_allocated()
    free = torch.cuda.mem_get_info()[0]
    held = [layer(x) for _ in range(3)]
    torch.cuda.synchronize()
    assert torch.cuda.memory_allocated() - own == 3 * held[0].nbytes
    assert torch.cuda.mem_get_info()[0] == free


def test_outputs_can_be_recorded_on_a_stream(prepared):
    """torch's allocator keeps the memory from others until the stream is
    done, so it knows the memory as its own."""
    layer, _ = prepared
    only_on_a_gpu()
    x, stream = samples(), torch.cuda.Stream()
    for is_recorded in (False, True):
        torch.cuda.synchronize()
        y = layer(x)
        with torch.cuda.stream(stream):
            torch.cuda._sleep(200_000_000)
            if is_recorded:
                y.record_stream(stream)
        address = y.data_ptr()
        del y
        again = torch.empty(OUTPUT, device="cuda")
        assert (again.data_ptr() == address) != is_recorded
        del again


def test_device_that_is_not_current(prepared):
    """Memory is taken on the layer's device, and the current one stays."""
    if DRY or torch.cuda.device_count() < 2:
        pytest.skip("one GPU here")
    layer, module = prepared
    x = samples()
    for current in (0, 1, 0):
        with torch.cuda.device(current):
            y = layer(x)
            assert torch.cuda.current_device() == current
        assert y.device == x.device
        assert torch.equal(y.cpu(), expected(module, x))


def test_current_stream(prepared):
    """The layer is launched behind the work of torch's current stream."""
    layer, module = prepared
    only_on_a_gpu()
    source, x = samples(), torch.zeros(SHAPE, device="cuda")
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(200_000_000)  # 0.1 s: what does not wait sees zeros.
        x.copy_(source)
        y = layer(x)
    assert not stream.query()
    stream.synchronize()
    assert torch.equal(y.cpu(), expected(module, source))


@pytest.mark.parametrize("form", ["torch", "handle"])
def test_given_stream(prepared, form):
    layer, module = prepared
    only_on_a_gpu()
    source, x = samples(), torch.zeros(SHAPE, device="cuda")
    out = torch.zeros(OUTPUT, device="cuda")
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(200_000_000)
        x.copy_(source)
    layer(x, out=out, stream=stream if form == "torch" else stream.cuda_stream)
    assert not stream.query()
    stream.synchronize()
    assert torch.equal(out.cpu(), expected(module, source))
    with pytest.raises(ValueError, match="stream is not the framework's "
                                         "current one: give out="):
        layer(x, stream=stream)


def test_second_thread(prepared):
    """A thread that has not touched the GPU before."""
    layer, module = prepared
    x, results = samples(), []

    def work():
        for _ in range(20):
            results.append(layer(x))
        if not DRY:
            torch.cuda.synchronize()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    want = expected(module, x)
    assert len(results) == 40
    assert all(torch.equal(y.cpu(), want) for y in results)


def test_graph(prepared):
    """Captured once, replayed on new inputs."""
    layer, module = prepared
    only_on_a_gpu()
    x, out = samples(), torch.zeros(OUTPUT, device="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        layer(x, out=out)
        y = layer(x)
    for _ in range(3):
        x.copy_(samples())
        out.zero_()
        y.zero_()
        graph.replay()
        torch.cuda.synchronize()
        want = expected(module, x)
        assert torch.equal(out.cpu(), want) and torch.equal(y.cpu(), want)


def test_first_call_may_be_captured(bundle):
    """Nothing is left over for the first call."""
    weight, bias = torch.ones(WEIGHT, device=DEVICE), torch.ones(
        4, device=DEVICE)
    layer = bundle.prepare(weight, bias)
    only_on_a_gpu()
    x, out = torch.ones(SHAPE, device="cuda"), torch.zeros(OUTPUT,
                                                           device="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        layer(x, out=out)
    graph.replay()
    torch.cuda.synchronize()
    assert out[0, 0, 8, 8].item() == 8 * 4 + 1


def test_other_gpu(bundle):
    if DRY or torch.cuda.device_count() < 2:
        pytest.skip("one GPU here")
    weight = integers(*WEIGHT).to("cuda:1")
    layer = bundle.prepare(weight, torch.zeros(4, device="cuda:1"))
    x = samples("cuda:1")
    assert torch.cuda.current_device() == 0
    y = layer(x)
    assert layer.device == "cuda:1" and y.device == x.device
    want = nn.functional.conv_transpose2d(x.cpu(), weight.cpu(), None, 2, 1)
    assert torch.equal(y.cpu(), want)
    assert torch.cuda.current_device() == 0
    with pytest.raises(ValueError, match="input is on cuda:0, must be on "
                                         "cuda:1"):
        layer(samples("cuda:0"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half(dtype):
    kind = getattr(torch, dtype)
    bundle = ctc.compile(input=SHAPE, weight=WEIGHT, dtype=dtype,
                         chips=ctc.chip_of(DEVICE), **LAYER)
    weight, bias = integers(*WEIGHT).clamp(-1, 1), integers(4)
    layer = bundle.prepare(weight.to(DEVICE, kind), bias.to(DEVICE, kind))
    x = samples().clamp(-1, 1)
    y = layer(x.to(kind))
    assert y.dtype == kind
    want = nn.functional.conv_transpose2d(x.cpu(), weight, bias, 2, 1)
    assert torch.equal(y.float().cpu(), want.to(kind).float())


def test_bad_tensors(prepared):
    layer, _ = prepared
    only_on_a_gpu()
    x = samples()
    odd = torch.zeros(x.numel() + 1, device="cuda")[1:].view(SHAPE)
    for bad, message in (
            (x.cpu(), "input is on cpu, must be on cuda:0"),
            (x.double(), "input has dtype float64, must be float32"),
            (x.transpose(2, 3), "input has strides"),
            (odd, "the address of argument 'input' is 0x")):
        with pytest.raises((TypeError, ValueError), match=message):
            layer(bad)
    other = ctc.Bundle(ctc.compile(input=SHAPE, weight=WEIGHT, **LAYER,
                                   chips="sm_120a").to_bytes())
    if ctc.chip_of("cuda") != "sm_120a":
        with pytest.raises(ctc.NoImageError, match="nothing in the bundle "
                                                   "runs on"):
            other.prepare(torch.zeros(WEIGHT, device="cuda"),
                          torch.zeros(4, device="cuda"))
    with pytest.raises(ctc.NoDeviceError, match="no CUDA device 99"):
        other.prepare(torch.zeros(WEIGHT), torch.zeros(4), device="cuda:99")


def test_bundle_of_another_chip_is_compiled():
    """What test_bad_tensors loads; compiled in the dry run, too."""
    assert ctc.compile(input=SHAPE, weight=WEIGHT, chips="sm_120a",
                       **LAYER).chips == ["sm_120a"]


def test_cupy(prepared):
    layer, module = prepared
    only_on_a_gpu()
    cupy = pytest.importorskip("cupy", reason="no CuPy here")
    x = samples()
    theirs = cupy.asarray(x.cpu().numpy())
    with cupy.cuda.Stream(non_blocking=True) as stream:
        y = layer(theirs)
        out = cupy.zeros(OUTPUT, np.float32)
        layer(theirs, out=out)
        stream.synchronize()
    assert isinstance(y, cupy.ndarray)
    want = expected(module, x).numpy()
    np.testing.assert_array_equal(cupy.asnumpy(y), want)
    np.testing.assert_array_equal(cupy.asnumpy(out), want)


# -- Modules -----------------------------------------------------------------

def gpu_pair(name, dtype=torch.float32):
    theirs, ours, x = pair(name)
    return theirs, ours.to(DEVICE, dtype), x.to(DEVICE, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16,
                                   torch.bfloat16])
@pytest.mark.parametrize("name", MODULES)
def test_module(name, dtype):
    theirs, ours, x = gpu_pair(name, dtype)
    want = theirs(x.float().cpu()).to(dtype)
    assert torch.equal(ours(x).cpu(), want)
    if x.dim() > 3:
        kind = {4: torch.channels_last, 5: torch.channels_last_3d}[x.dim()]
        y = ours(x.to(memory_format=kind))
        assert torch.equal(y.cpu(), want)
        assert y.is_contiguous(memory_format=kind)


@pytest.mark.parametrize("name", MODULES)
def test_training_step(name):
    """Gradients are PyTorch's; the step is seen by the next call."""
    theirs, ours, x = gpu_pair(name)
    for module, source in ((theirs, x.cpu()), (ours, x)):
        source = source.clone().requires_grad_()
        optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
        module(source).square().sum().backward()
        optimizer.step()
        module.of_input = source.grad
    torch.testing.assert_close(ours.of_input.cpu(), theirs.of_input)
    for got, want in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(got.cpu(), want)
    torch.testing.assert_close(ours(x).cpu(), theirs(x.cpu()))


@pytest.mark.parametrize("name", ["1d", "2d", "3d"])
def test_gradcheck(name):
    _, ours, x = gpu_pair(name)
    assert torch.autograd.gradcheck(
        lambda x, w, b: ctorch.conv_transpose(
            x, w, b, ours.stride, ours.padding, ours.output_padding,
            ours.groups, ours.dilation, precision="ieee"),
        (x[:1, ..., :2].clone().requires_grad_(), ours.weight, ours.bias),
        eps=1.0, atol=1e-2, fast_mode=True)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_opcheck(name, frozen):
    _, ours, x = gpu_pair(name)
    torch.library.opcheck(
        torch.ops.ctc.conv_transpose.default,
        (x.requires_grad_(), ours.weight, ours.bias, ours.stride,
         ours.padding, ours.output_padding, ours.dilation, ours.groups, "ieee",
         frozen))


@pytest.mark.parametrize("mode", ["default", "reduce-overhead"])
def test_torch_compile(mode):
    """PyTorch's own compiler around the operator, with CUDA graphs too."""
    theirs, ours, x = gpu_pair("2d")
    ours.requires_grad_(False)
    ours(x)
    only_on_a_gpu()
    torch._dynamo.reset()
    compiled = torch.compile(nn.Sequential(ours, nn.ReLU()), fullgraph=True,
                             mode=mode)
    for _ in range(4):
        y = compiled(x).cpu()
        assert torch.equal(y, theirs(x.cpu()).relu())


def test_torch_compile_with_gradients():
    theirs, ours, x = gpu_pair("2d")
    ours(x)
    only_on_a_gpu()
    torch._dynamo.reset()
    compiled = torch.compile(ours, fullgraph=True)
    for module, source in ((theirs, x.cpu()), (compiled, x)):
        module(source).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad.cpu(), theirs.weight.grad)


def test_export():
    _, ours, x = gpu_pair("2d")
    program = torch.export.export(ours, (x,))
    assert any(node.target is torch.ops.ctc.conv_transpose.default
               for node in program.graph.nodes)
    assert torch.equal(program.module()(x), ours(x))


@pytest.mark.parametrize("frozen", [False, True])
def test_module_in_a_graph(frozen):
    """Without freezing, the weight is packed within the graph."""
    theirs, ours, x = gpu_pair("2d")
    ours.requires_grad_(False)
    ours.frozen = frozen
    ours(x)
    only_on_a_gpu()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = ours(x)
    x.mul_(2)
    if not frozen:
        ours.weight.add_(1)
        with torch.no_grad():
            theirs.weight.add_(1)
    graph.replay()
    torch.cuda.synchronize()
    assert torch.equal(y.cpu(), theirs(x.cpu()))


def test_module_on_a_side_stream():
    theirs, ours, x = gpu_pair("2d")
    ours(x)
    only_on_a_gpu()
    for frozen in (False, True):
        ours.frozen = frozen
        source, late = x.clone(), torch.zeros_like(x)
        stream = torch.cuda.Stream()
        torch.cuda.synchronize()
        with torch.cuda.stream(stream):
            torch.cuda._sleep(100_000_000)
            late.copy_(source)
            y = ours(late)
        stream.synchronize()
        assert torch.equal(y.cpu(), theirs(x.cpu()))


def test_autocast():
    theirs, ours, x = gpu_pair("2d")
    with torch.autocast(DEVICE, torch.bfloat16):
        y = ours(x)
    assert y.dtype == torch.bfloat16
    assert torch.equal(y.float().cpu(),
                       theirs(x.cpu()).to(torch.bfloat16).float())
