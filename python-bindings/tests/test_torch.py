#===- test_torch.py - PyTorch on the host ----------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""ctc.torch with tensors of the host, whose kernels the PTX machine executes;
test_torch_gpu.py has what needs a GPU."""

import copy
import gc
import subprocess
import sys
import threading

import pytest

torch = pytest.importorskip("torch", reason="no PyTorch here")

import ctc
import ctc.torch as ctorch
from ctc import _compile, _torch_ops
from torch import nn

# name: (class, constructor's arguments, input's shape)
MODULES = {
    "1d": (nn.ConvTranspose1d, dict(in_channels=4, out_channels=3,
                                    kernel_size=4, stride=2, padding=1),
           (2, 4, 9)),
    "2d": (nn.ConvTranspose2d, dict(in_channels=4, out_channels=6,
                                    kernel_size=3, stride=2, padding=1,
                                    output_padding=1, groups=2), (2, 4, 5, 6)),
    "2d-dilation": (nn.ConvTranspose2d, dict(
        in_channels=3, out_channels=2, kernel_size=(3, 2), stride=(1, 3),
        dilation=(2, 1), bias=False), (1, 3, 5, 4)),
    "3d": (nn.ConvTranspose3d, dict(in_channels=2, out_channels=3,
                                    kernel_size=2, stride=2), (1, 2, 3, 4, 3)),
}


def integers(*shape, dtype=torch.float32):
    return torch.randint(-3, 4, shape).to(dtype)


def pair(name):
    """torch's module with small integers in it, and ctc's with the same."""
    torch.manual_seed(0)
    kind, arguments, shape = MODULES[name]
    theirs = kind(**arguments)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(integers(*parameter.shape))
    ours = getattr(ctorch, kind.__name__)(**arguments)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours, integers(*shape)


@pytest.mark.parametrize("name", MODULES)
def test_module(name):
    theirs, ours, x = pair(name)
    assert isinstance(ours, type(theirs))
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert repr(ours) == repr(theirs)
    y = ours(x)
    assert torch.equal(y, theirs(x)) and y.count_nonzero() > y.numel() / 2


@pytest.mark.parametrize("name", MODULES)
def test_gradients(name):
    theirs, ours, x = pair(name)
    results = []
    for module in (theirs, ours):
        source = x.clone().requires_grad_()
        y = module(source)
        y.backward(torch.arange(y.numel()).reshape(y.shape) % 5 - 2.0)
        results.append([source.grad, *(p.grad for p in module.parameters())])
    for expected, got in zip(*results):
        assert torch.equal(got, expected)


def test_training_step_changes_what_is_computed():
    """An optimizer's step is seen, also through `.data`, which autograd's
    counter does not see."""
    theirs, ours, x = pair("2d")
    for module in (theirs, ours):
        optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
        module(x).sum().backward()
        optimizer.step()
    assert torch.equal(ours(x), theirs(x))
    for module in (theirs, ours):
        module.weight.data.mul_(2)
    assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("name", ["1d", "2d", "3d"])
def test_gradcheck(name):
    _, ours, x = pair(name)
    # The layer is linear in each argument: wide steps are exact in float32.
    assert torch.autograd.gradcheck(
        lambda x, w, b: ctorch.conv_transpose(
            x, w, b, ours.stride, ours.padding, ours.output_padding,
            ours.groups, ours.dilation, precision="ieee"),
        (x[:1, ..., :2].clone().requires_grad_(), ours.weight, ours.bias),
        eps=1.0, atol=1e-3, fast_mode=True)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_opcheck(name, frozen):
    _, ours, x = pair(name)
    attributes = (ours.stride, ours.padding, ours.output_padding,
                  ours.dilation, ours.groups, "ieee", frozen)
    torch.library.opcheck(
        torch.ops.ctc.conv_transpose.default,
        (x.requires_grad_(), ours.weight, ours.bias, *attributes))


def test_channels_last():
    theirs, ours, x = pair("2d")
    last = x.to(memory_format=torch.channels_last)
    y = ours(last)
    assert torch.equal(y, theirs(x))
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert not y.is_contiguous()
    with torch._subclasses.FakeTensorMode() as mode:
        fake = _fake(mode, ours, last)
    assert fake.shape == y.shape and fake.stride() == y.stride()


def _fake(mode, module, x):
    return torch.ops.ctc.conv_transpose(
        mode.from_tensor(x), mode.from_tensor(module.weight),
        mode.from_tensor(module.bias), module.stride, module.padding,
        module.output_padding, module.dilation, module.groups, "tf32", False)


def test_strided_input_is_made_contiguous():
    theirs, ours, x = pair("2d")
    turned = x.transpose(2, 3).contiguous().transpose(2, 3)
    assert not turned.is_contiguous()
    assert torch.equal(ours(turned), theirs(x))


def test_output_size():
    theirs, ours, x = pair("1d")
    for size in ([18], [2, 3, 19]):
        assert torch.equal(ours(x, output_size=size),
                           theirs(x, output_size=size))
    with pytest.raises(ValueError, match="requested an output size of"):
        ours(x, output_size=[99])


def test_no_batch():
    theirs, ours, x = pair("3d")
    assert torch.equal(ours(x[0]), theirs(x[0]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precisions(dtype):
    theirs, ours, x = pair("2d")
    y = ours.to(dtype)(x.to(dtype))
    assert y.dtype == dtype
    assert torch.equal(y.float(), theirs(x).to(dtype).float())


def test_autocast():
    theirs, ours, x = pair("2d")
    with torch.autocast("cpu", torch.bfloat16):
        y = ours(x)
        assert y.dtype == theirs(x).dtype == torch.bfloat16
    y.float().sum().backward()
    assert ours.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("name", ["1d", "2d"])
def test_compile_keeps_the_operator(name):
    theirs, ours, x = pair(name)
    graphs = []

    def backend(graph, example):
        graphs.append([str(node.target) for node in graph.graph.nodes])
        return graph.forward

    torch._dynamo.reset()
    compiled = torch.compile(nn.Sequential(ours, nn.ReLU()), fullgraph=True,
                             backend=backend)
    assert torch.equal(compiled(x), theirs(x).relu())
    [nodes] = graphs
    assert "ctc.conv_transpose.default" in nodes or (
        "ctc.conv_transpose" in " ".join(nodes))


def test_compile_with_aot_autograd():
    """Fakes and gradients traced by PyTorch, in both memory formats."""
    theirs, ours, x = pair("2d")
    torch._dynamo.reset()
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    for source in (x, x.to(memory_format=torch.channels_last)):
        compiled.zero_grad()
        theirs.zero_grad()
        y = compiled(source)
        assert torch.equal(y, theirs(source))
        y.sum().backward()
        theirs(source).sum().backward()
        assert torch.equal(ours.weight.grad, theirs.weight.grad)


def test_export():
    _, ours, x = pair("2d")
    program = torch.export.export(ours, (x,))
    assert any(node.target is torch.ops.ctc.conv_transpose.default
               for node in program.graph.nodes)
    assert torch.equal(program.module()(x), ours(x))


def test_compiled_once(monkeypatch):
    calls = []
    real = _torch_ops.compile_layer
    monkeypatch.setattr(_torch_ops, "compile_layer",
                        lambda *a, **o: calls.append(a) or real(*a, **o))
    module = ctorch.ConvTranspose1d(2, 3, 5, stride=3)
    threads = [threading.Thread(target=module, args=(torch.ones(1, 2, 7),))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    module(torch.zeros(1, 2, 7))
    assert len(calls) == 1
    module(torch.zeros(2, 2, 7))
    assert len(calls) == 2


def test_frozen_weights_are_packed_once(monkeypatch):
    theirs, ours, x = pair("2d")
    ours.frozen = True
    packs = []
    real = _torch_ops._prepare
    monkeypatch.setattr(_torch_ops, "_prepare",
                        lambda *a, **o: packs.append(a) or real(*a, **o))
    with torch.no_grad():
        for _ in range(3):
            assert torch.equal(ours(x), theirs(x))
        assert len(packs) == 1
        for module in (ours, theirs):
            module.weight.mul_(2)
            module.bias.add_(1)  # Read at every call.
        assert torch.equal(ours(x), theirs(x))
        assert len(packs) == 2
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs(x))
    assert len(packs) == 2


# -- Without the dispatcher --------------------------------------------------

def count_operators(monkeypatch):
    """Calls of the operator from now on."""
    calls, real = [], _torch_ops.conv_transpose
    monkeypatch.setattr(_torch_ops, "conv_transpose",
                        lambda *a: calls.append(a) or real(*a))
    return calls


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("form", ["first", "last"])
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad,
                                  torch.inference_mode])
def test_plain_calls_pass_the_dispatcher_by(mode, form, frozen, monkeypatch):
    """And give what the operator gives."""
    theirs, ours, x = pair("2d")
    ours.frozen = frozen
    if form == "last":
        x = x.to(memory_format=torch.channels_last)
    calls = count_operators(monkeypatch)
    with mode():
        y, want = ours(x), theirs(x)
        by_operator = torch.ops.ctc.conv_transpose(
            x, ours.weight, ours.bias, ours.stride, ours.padding,
            ours.output_padding, ours.dilation, ours.groups, "tf32", frozen)
    assert not calls
    for one in (y, by_operator):
        assert torch.equal(one, want)
        assert one.stride() == by_operator.stride()
        assert one.requires_grad == want.requires_grad
        assert one.is_leaf == want.is_leaf
        assert one.is_inference() == want.is_inference()
        assert one._is_view() == want._is_view()


def test_an_output_may_be_changed_in_place():
    """As PyTorch's own: it is no view that autograd would have to follow."""
    theirs, ours, x = pair("2d")
    last = x.to(memory_format=torch.channels_last)
    scale = torch.full((1,), 2.0, requires_grad=True)
    for source in (x, last):
        with torch.no_grad():
            outputs = [module(source) for module in (theirs, ours)]
        outputs += [module(source) for module in (theirs, ours)]
        for one in outputs:
            one.mul_(scale)
        assert all(torch.equal(one, outputs[0]) for one in outputs)


def test_second_derivatives():
    results = []
    for module in pair("2d")[:2]:
        x = pair("2d")[2].requires_grad_()
        of_x, = torch.autograd.grad(module(x).square().sum(), x,
                                    create_graph=True)
        results.append(torch.autograd.grad(of_x.square().sum(),
                                           [x, module.weight]))
    for expected, got in zip(*results):
        assert torch.equal(got, expected)


class _Mode(torch.utils._python_dispatch.TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


class _FunctionMode(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


class _Subclass(torch.Tensor):
    pass


def _profile(module, x):
    with torch.profiler.profile() as profile:
        y = module(x)
    assert "ctc::conv_transpose" in {one.key for one in profile.key_averages()}
    return y


def _under(mode):
    def call(module, x):
        with mode:
            return module(x)
    return call


@pytest.mark.parametrize("call", [
    _under(_Mode()), _under(_FunctionMode()), _profile,
    lambda module, x: module(x.as_subclass(_Subclass)),
    lambda module, x: torch.func.functional_call(
        module, {"weight": module.weight.as_subclass(_Subclass)}, (x,)),
    lambda module, x: torch.jit.trace(module, (x,), check_trace=False)(x),
    lambda module, x: module(torch._neg_view(-x)),
], ids=["dispatch-mode", "function-mode", "profiler", "subclass",
        "weight-subclass", "trace", "negated"])
def test_who_is_to_see_the_operator_sees_it(call, monkeypatch):
    theirs, ours, x = pair("2d")
    calls = count_operators(monkeypatch)
    with torch.no_grad():
        y = call(ours, x)
        assert calls
        assert torch.equal(y.as_subclass(torch.Tensor), theirs(x))


def test_transforms_reach_the_operator(monkeypatch):
    """Which batches by a loop, and says that it has no other rules."""
    theirs, ours, x = pair("2d")
    calls = count_operators(monkeypatch)
    batch = torch.stack([x, 2 * x])
    assert torch.equal(torch.func.vmap(ours)(batch),
                       torch.func.vmap(theirs)(batch))
    assert calls
    calls.clear()
    with pytest.raises(RuntimeError, match="must override the setup_context"):
        torch.func.grad(lambda x: ours(x).sum())(x)
    assert calls


def test_tangents_reach_the_operator(monkeypatch):
    _, ours, x = pair("2d")
    calls = count_operators(monkeypatch)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, x)
        with pytest.raises(RuntimeError):
            ours(dual)
    assert calls


def test_frozen_weights_are_let_go():
    _, ours, x = pair("2d")
    ours.frozen = True
    before = len(_torch_ops._frozen)
    ours(x)
    assert len(_torch_ops._frozen) == before + 1
    del ours
    gc.collect()
    assert len(_torch_ops._frozen) == before


# -- convert -----------------------------------------------------------------

def test_convert():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ConvTranspose2d(4, 3, 2, 2),
                          nn.Sequential(nn.ConvTranspose2d(3, 2, 3)))
    x = torch.randn(1, 2, 6, 6)
    expected, parameters = model(x), list(model.parameters())
    seen = []
    model[1].register_forward_hook(lambda *_: seen.append(1))
    converted = ctorch.convert(model, precision="ieee")
    assert converted is model
    assert type(model[1]) is type(model[2][0]) is ctorch.ConvTranspose2d
    assert type(model[0]) is nn.Conv2d
    assert all(map(lambda a, b: a is b, parameters, model.parameters()))
    torch.testing.assert_close(model(x), expected, rtol=1e-5, atol=1e-5)
    assert seen == [1]
    again = copy.deepcopy(model)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(x), model(x))


def test_convert_the_model_itself():
    module = nn.ConvTranspose1d(2, 2, 2)
    assert isinstance(ctorch.convert(module, frozen=True),
                      ctorch.ConvTranspose1d)
    assert module.frozen and module.precision == "tf32"


def test_what_the_constructor_does_not_take():
    module = ctorch.ConvTranspose1d(2, 2, 2)
    assert (module.precision, module.frozen) == ("tf32", False)
    with pytest.raises(TypeError, match="precision"):
        ctorch.ConvTranspose1d(2, 2, 2, precision="ieee")
    assert ctorch.convert(module, precision="ieee", frozen=True) is module
    assert (module.precision, module.frozen) == ("ieee", True)


def test_convert_with_weight_norm():
    """As in HiFi-GAN; removing the norm leaves ctc's module."""
    torch.manual_seed(0)
    parametrizations = torch.nn.utils.parametrizations
    module = parametrizations.weight_norm(nn.ConvTranspose1d(4, 2, 4, 2, 1))
    x = torch.randn(1, 4, 6)
    expected = module(x)
    ctorch.convert(module, precision="ieee")
    torch.testing.assert_close(module(x), expected, rtol=1e-5, atol=1e-5)
    module(x).sum().backward()
    assert module.parametrizations.weight.original0.grad is not None
    torch.nn.utils.parametrize.remove_parametrizations(module, "weight")
    assert type(module) is ctorch.ConvTranspose1d
    torch.testing.assert_close(module(x), expected, rtol=1e-5, atol=1e-5)


def test_subclasses_are_left():
    class Own(nn.ConvTranspose2d):
        def forward(self, x):
            return super().forward(x) * 2

    model = nn.Sequential(Own(2, 2, 2))
    assert type(ctorch.convert(model)[0]) is Own


# -- Layers of a bundle ------------------------------------------------------

def test_gradients_are_not_lost_outside_autograd():
    bundle = ctc.compile(input=(1, 2, 3), weight=(2, 2, 2), chips="sm_80")
    layer = bundle.prepare(torch.ones(2, 2, 2))
    with pytest.raises(ValueError, match="input requires gradients, which a "
                                         "launch outside autograd would lose"):
        layer(torch.ones(1, 2, 3, requires_grad=True))
    y = layer(torch.ones(1, 2, 3))
    assert isinstance(y, torch.Tensor) and y[0, 0].tolist() == [2, 4, 4, 2]
    assert layer(torch.ones(1, 3, 2).transpose(1, 2), copy=True).equal(y)


def test_outputs_are_torchs_own():
    """Not views of memory that another library frees; of any batch, whatever
    the one before was."""
    bundle = ctc.compile(input=(None, 2, 3), weight=(2, 2, 2), chips="sm_80")
    layer = bundle.prepare(torch.ones(2, 2, 2))
    for batch in (1, 3, 0, 3):
        y = layer(torch.ones(batch, 2, 3))
        assert y.shape == (batch, 2, 4) and y.stride() == (8, 4, 1)
        assert torch.equal(y, torch.tensor([2.0, 4, 4, 2]).expand(batch, 2, 4))
        assert y.untyped_storage().resizable() and not y.requires_grad
    assert layer(torch.ones(1, 2, 3)).data_ptr() != y.data_ptr()


def test_outputs_without_torchs_function():
    """Another PyTorch may not have it: DLPack's allocator serves then. What a
    type offers is looked up once, so in a process of its own."""
    result = subprocess.run([sys.executable, "-c", """if True:
        import torch
        del torch._C._dynamo.guards._empty_strided_cpu
        import ctc
        bundle = ctc.compile(input=(1, 2, 3), weight=(2, 2, 2), chips="sm_80")
        y = bundle.prepare(torch.ones(2, 2, 2))(torch.ones(1, 2, 3))
        print(y[0, 0].tolist(), y.untyped_storage().resizable())
        """], capture_output=True, text=True, check=True)
    assert result.stdout == "[2.0, 4.0, 4.0, 2.0] False\n"


def test_bias_memory_is_kept():
    """A change in place is seen; the memory outlives the tensor."""
    bundle = ctc.compile(input=(1, 2, 3), weight=(2, 2, 2), bias=True,
                         chips="sm_80")
    memory = torch.zeros(8)
    bias = memory[:2]
    layer = bundle.prepare(torch.ones(2, 2, 2), bias)
    x = torch.ones(1, 2, 3)
    bias += 1
    assert layer(x)[0, 0].tolist() == [3, 5, 5, 3]
    with pytest.raises(ValueError, match="out shares memory with bias"):
        layer(x, out=memory.view(1, 2, 4))
    bias.data = torch.full((2,), 100.0)
    assert layer(x)[0, 0].tolist() == [3, 5, 5, 3]
    del bias, memory
    others = [torch.full((8,), 100.0) for _ in range(8)]
    assert len(others) == 8
    assert layer(x)[0, 0].tolist() == [3, 5, 5, 3]


def test_chip_of_old_and_new_gpus():
    from ctc import _runtime

    assert _runtime.chip_for(9, 0) == "sm_90a"
    assert _runtime.chip_for(8, 0) == "sm_80"
    assert _runtime.chip_for(8, 7) == "sm_86"
    assert _runtime.chip_for(12, 1) == "sm_89"  # Its PTX.
    assert _runtime.chip_for(7, 5) is None
    assert _compile.chip_of("cpu") == "sm_80"
