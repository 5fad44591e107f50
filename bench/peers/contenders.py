#===- contenders.py - ctc and what it is compared with ----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Everything that is timed has one shape: `bind` makes buffer sets from the
inputs of a case and returns a Bound, whose call(i) launches once on set
i % sets, and whose output(i) is what that set's last call gave, in the order
N, C, spatial.

  ctc        bundles of the pack, through the C API
  eager      torch.nn.functional.conv_transposeNd, cudnn.benchmark on
  compile    the same under torch.compile
  reference  a module with a class ModelNew, given by path
  fake       for tests: whatever misbehaves
"""

import dataclasses
import importlib.util
import inspect
import pathlib
import time

import torch

import ctc_library
import oracle
from clock import set_count


class Unsupported(Exception):
    """The contender does not serve the layer, precision or layout."""


class Missing(Exception):
    """The contender is not here."""


@dataclasses.dataclass
class Case:
    """A layer with inputs, tensors in the order N, C, spatial."""
    layer: object
    precision: str
    x: torch.Tensor
    w: torch.Tensor
    b: torch.Tensor | None

    @classmethod
    def make(cls, layer, precision, element, device):
        """Uniform in [-1, 1), rounded to the element type."""
        dtype = oracle.DTYPES[element]
        generator = torch.Generator(device).manual_seed(
            sum(map(ord, layer.name)) + 1)

        def uniform(*shape):
            values = torch.rand(shape, generator=generator, device=device)
            return values.mul_(2).sub_(1).to(dtype)

        return cls(layer, precision, uniform(*layer.input_shape),
                   uniform(*layer.weight_shape),
                   uniform(layer.output_channels) if layer.bias else None)

    def set_bytes(self):
        tensors = [self.x, self.w] + ([] if self.b is None else [self.b])
        outputs = self.layer.elements()[2] * self.x.element_size()
        return sum(t.nbytes for t in tensors) + outputs

    def sets(self, cache_bytes):
        """As many as a cold cache takes, fewer where memory is short."""
        wanted = set_count(self.set_bytes(), cache_bytes)
        if self.x.device.type != "cuda":
            return wanted
        free, _ = torch.cuda.mem_get_info()
        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        room = int(0.8 * (free + unused) / self.set_bytes())
        return max(1, min(wanted, room))


class Bound:
    """A contender with its buffer sets, ready to be timed."""

    def __init__(self, sets):
        self.sets = sets
        self.details = {}  # Goes into the row.

    def call(self, index):
        raise NotImplementedError

    def output(self, index):
        raise NotImplementedError

    def close(self):
        """Gives back what Python does not."""


def check_precision_flags(precision):
    """PyTorch's switches for convolutions in float32."""
    if precision == "tf32x3":
        raise Unsupported("has no tf32x3")
    allowed = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.benchmark = True


def to_layout(tensor, layout):
    """A copy of an activation or weight in a memory format."""
    formats = {("channels_last", 4): torch.channels_last,
               ("channels_last", 5): torch.channels_last_3d}
    made = torch.empty_like(tensor, memory_format=formats.get(
        (layout, tensor.dim()), torch.contiguous_format))
    return made.copy_(tensor)


class _FunctionBound(Bound):
    """A function of (x, w, b) that allocates its output. As many outputs as
    sets are kept, so that the allocator rotates, too."""

    def __init__(self, function, inputs, after=lambda y: y):
        super().__init__(len(inputs))
        self.function, self.inputs, self.after = function, inputs, after
        self.outputs = [None] * len(inputs)

    def call(self, index):
        at = index % self.sets
        self.outputs[at] = self.function(*self.inputs[at])

    def output(self, index):
        return self.after(self.outputs[index % self.sets])


class Eager:
    name = "eager"
    variants = ("",)

    def serves(self, precision, layout):
        return precision != "tf32x3"

    def bind(self, case, layout, _variant, cache_bytes):
        layer = case.layer
        check_precision_flags(case.precision)
        if any(low != high or low < 0 for low, high in layer.padding):
            raise Unsupported("has no asymmetric or negative padding")
        x, w, b = case.x, case.w, case.b
        geometry = [layer.stride, [low for low, _ in layer.padding],
                    layer.output_padding, layer.groups, layer.dilation]
        rank, after = layer.rank, (lambda y: y)
        if rank == 1 and layout == "channels_last":
            # PyTorch has no channels-last in one dimension; with a dimension of
            # one before it there is.
            x, w, rank = x.unsqueeze(2), w.unsqueeze(2), 2
            for at, one in ((0, 1), (1, 0), (2, 0), (4, 1)):
                geometry[at] = [one, *geometry[at]]
            after = (lambda y: y.squeeze(2))
        operation = (torch.conv_transpose1d, torch.conv_transpose2d,
                     torch.conv_transpose3d)[rank - 1]

        def function(x, w, b):
            return operation(x, w, b, *geometry)

        inputs = [(to_layout(x, layout), to_layout(w, layout),
                   None if b is None else b.clone())
                  for _ in range(case.sets(cache_bytes))]
        return _FunctionBound(self.wrap(function), inputs, after)

    def wrap(self, function):
        return function


class Compile(Eager):
    """torch.compile of the same call."""
    name = "compile"

    def __init__(self, mode=None):
        self.mode = mode

    def wrap(self, function):
        torch._dynamo.reset()
        return torch.compile(function, mode=self.mode, dynamic=False,
                             fullgraph=True)


class Reference:
    """ModelNew of a Python file: a module like torch.nn.ConvTransposeNd. What
    its constructor does not take has to have its default, and an `int` is one
    value for all dimensions."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.name = f"reference:{self.path.stem}"
        self.variants = ("",)

    def serves(self, precision, layout):
        return precision == "tf32" and layout == "channels_first"

    def _model(self):
        if not self.path.is_file():
            raise Missing(f"{self.path}: no such file")
        spec = importlib.util.spec_from_file_location(
            f"reference_{self.path.stem}", self.path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except ImportError as error:
            raise Missing(f"{self.path.name}: {error}") from error
        if not hasattr(module, "ModelNew"):
            raise Missing(f"{self.path.name}: has no class ModelNew")
        return module.ModelNew

    def _rank(self):
        for rank in (1, 2, 3):
            if f"{rank}d" in self.path.stem:
                return rank
        raise Missing(f"{self.path.name}: the name says no rank, must have 1d, "
                      "2d or 3d in it")

    def _arguments(self, model, layer):
        """Of the constructor. Raises Unsupported."""
        if layer.rank != self._rank():
            raise Unsupported(f"is for {self._rank()} dimensions")
        if "direct_stride1" in self.path.stem and (
                set(layer.stride) != {1} or set(layer.output_padding) != {0}):
            raise Unsupported("is for stride 1 without output padding")
        if any(low != high for low, high in layer.padding):
            raise Unsupported("has no asymmetric padding")
        wanted = {"in_channels": layer.input_channels,
                  "out_channels": layer.output_channels,
                  "kernel_size": layer.kernel, "stride": layer.stride,
                  "padding": tuple(low for low, _ in layer.padding),
                  "output_padding": layer.output_padding,
                  "dilation": layer.dilation, "groups": layer.groups,
                  "bias": layer.bias}
        neutral = {"dilation": 1, "output_padding": 0, "padding": 0,
                   "stride": 1, "groups": 1, "bias": False}
        parameters = inspect.signature(model.__init__).parameters
        arguments = {}
        for name, value in wanted.items():
            values = set(value if isinstance(value, tuple) else (value,))
            if name not in parameters:
                if values != {neutral.get(name)}:
                    raise Unsupported(f"has no {name.replace('_', ' ')}")
                continue
            if isinstance(value, tuple) and parameters[name].annotation is int:
                # In two dimensions such modules hand the value to
                # torch.nn.ConvTranspose2d, which takes both.
                if len(values) != 1 and layer.rank == 3:
                    raise Unsupported(f"takes one {name.replace('_', ' ')} for "
                                      "all dimensions")
                value = value[0] if len(values) == 1 else value
            arguments[name] = value
        return arguments

    def bind(self, case, _layout, _variant, cache_bytes):
        model = self._model()
        arguments = self._arguments(model, case.layer)
        check_precision_flags(case.precision)

        def instance():
            with torch.device(case.x.device):
                made = model(**arguments)
            for name, parameter in made.named_parameters():
                given = case.w if name.endswith("weight") else case.b
                parameter.requires_grad_(False)
                parameter.data = given.clone()
            return made

        inputs = [(instance(), case.x.clone())
                  for _ in range(case.sets(cache_bytes))]
        return _FunctionBound(lambda made, x: made(x), inputs)


class _TorchMemory:
    """Buffers of the ctc layers as torch tensors on the GPU."""

    def upload(self, tensor):
        kept = tensor.clone(memory_format=torch.contiguous_format)
        return kept.data_ptr(), kept

    def empty(self, size):
        kept = torch.empty(max(16, size), dtype=torch.uint8, device="cuda")
        kept.fill_(0xFF)  # NaN in every format.
        return kept.data_ptr(), kept

    def read(self, kept, _address, shape, dtype):
        return kept.view(dtype)[:shape.numel()].view(shape)

    @staticmethod
    def stream():
        return torch.cuda.current_stream().cuda_stream

    def free(self):
        pass


class _DeviceMemory:
    """The same on the cpu device, whose memory is its own; for dry runs."""

    def __init__(self, device):
        self.device, self.addresses = device, []

    def upload(self, tensor):
        tensor = tensor.contiguous()
        address, _ = self.empty(tensor.nbytes)
        self.device.copy_in(address, tensor.data_ptr(), tensor.nbytes)
        return address, None

    def empty(self, size):
        address = self.device.allocate(size)
        self.addresses.append(address)
        ones = torch.full((size,), 0xFF, dtype=torch.uint8)
        self.device.copy_in(address, ones.data_ptr(), size)
        return address, None

    def read(self, _kept, address, shape, dtype):
        tensor = torch.empty(shape, dtype=dtype)
        self.device.copy_out(tensor.data_ptr(), address, tensor.nbytes)
        return tensor

    @staticmethod
    def stream():
        return None

    def free(self):
        for address in self.addresses:
            self.device.free(address)


class _CtcBound(Bound):
    def __init__(self, program, case, layout, sets, memory):
        super().__init__(sets)
        self.program, self.memory, self.layout = program, memory, layout
        self.dtype = case.x.dtype
        self.layers, self.kept, self.results = [], [], []
        try:
            for _ in range(sets):
                self._add(case)
        except Exception:
            self.close()
            raise
        self.details = {"family": program.family, "kernel": program.kernel,
                        "choice": program.choice, "chip": program.chip,
                        "uses_ptx": bool(program.uses_ptx)}

    def _add(self, case):
        layer = ctc_library.PreparedLayer(self.program)
        self.layers.append(layer)
        x = case.x if self.layout == "channels_first" else \
            case.x.movedim(1, -1)
        given = {"input": x, "bias": case.b}
        weight, kept = self.memory.upload(case.w)
        packed, packed_kept = self.memory.empty(layer.packed_bytes)
        self.kept += [kept, packed_kept]
        self.weight, self.packed = weight, packed
        layer.prepare(weight, packed, self.memory.stream())
        addresses = {}
        for argument in self.program.arguments:
            if argument.launch_index < 0:
                continue
            if argument.role in given:
                address, kept = self.memory.upload(given[argument.role])
            else:
                address, kept = self.memory.empty(argument.bytes)
            if argument.role == "output":
                self.results.append((kept, address, argument.shape))
            self.kept.append(kept)
            addresses[argument.launch_index] = address
        layer.bind([addresses[at] for at in sorted(addresses)])

    def call(self, index):
        self.layers[index % self.sets].launch(self.memory.stream())

    def prepare(self, _index):
        self.layers[-1].prepare(self.weight, self.packed, self.memory.stream())

    def output(self, index):
        kept, address, shape = self.results[index % self.sets]
        y = self.memory.read(kept, address, torch.Size(shape), self.dtype)
        return y if self.layout == "channels_first" else y.movedim(-1, 1)

    def close(self):
        for layer in self.layers:
            layer.close()
        self.program.close()
        self.memory.free()


class Ctc:
    """The bundles of a pack: a variant is a bundle of the same layer that was
    compiled otherwise."""
    name = "ctc"

    def __init__(self, pack, library, device_name):
        self.pack = pack
        self.variants = pack.variants
        self._library, self._device_name = library, device_name
        self._device = None

    def serves(self, _precision, _layout):
        return True

    def device(self):
        if self._device is None:
            library = ctc_library.Library(self._library)
            self._device = ctc_library.Device(library, self._device_name)
        return self._device

    def bind(self, case, layout, variant, cache_bytes):
        data = self.pack.bundle(case.layer.name, case.precision, layout,
                                variant)
        began = time.perf_counter()
        program = ctc_library.Program(self.device(), data)
        seconds = time.perf_counter() - began
        memory = _TorchMemory() if case.x.device.type == "cuda" else \
            _DeviceMemory(self.device())
        bound = _CtcBound(program, case, layout, case.sets(cache_bytes),
                          memory)
        bound.details["load_seconds"] = round(seconds, 6)
        return bound
