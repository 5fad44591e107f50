#===- test_cuda_path.py - The way to a GPU, with a recording driver --------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""What the package asks of the CUDA driver."""

import fake_cuda


def lines(body, **environment):
    return fake_cuda.run(body, **environment).splitlines()


def test_prepare_then_calls_only_launch():
    """No synchronisation and no allocation in a call after prepare."""
    assert lines("""
        layer = prepare()
        out = new((2, 3, 10, 12))
        before = [count(w) for w in ("allocations", "synchronizations")]
        launches = count("launches")
        for _ in range(5):
            assert layer(new((2, 4, 5, 6)), out=out) is out
        print(count("launches") - launches)
        print([count(w) for w in ("allocations", "synchronizations")] == before)
        print(layer.device, layer.chip, layer.uses_ptx)
    """) == ["5", "True", "cuda:0 sm_90a False"]


def test_streams():
    assert lines("""
        class Torch:
            cuda_stream = 0x70
        class Cupy:
            ptr = 0x80
        class Protocol:
            def __cuda_stream__(self):
                return (0, 0x90)
        layer, out = prepare(), new((1, 3, 10, 12))
        x = new((1, 4, 5, 6))
        for stream in (None, 0x60, Torch(), Cupy(), Protocol()):
            layer(x, out=out, stream=stream)
            print(hex(driver.fakeCudaLastStream() or 0))
        layer(new((1, 4, 5, 6), stream=0x50), out=out)
        print(hex(driver.fakeCudaLastStream()))
        layer(new((1, 4, 5, 6), stream=1), out=out)
        print(driver.fakeCudaLastStream())
        try:
            layer(x, out=out, stream="fast")
        except TypeError as error:
            print(error)
    """) == ["0x0", "0x60", "0x70", "0x80", "0x90", "0x50", "None",
             "stream is a str, must be an integer handle, a torch or CuPy "
             "stream, or have __cuda_stream__"]


def test_producers_order_their_work_before_the_launch():
    """The stream a DLPack producer is told is the one that is launched on; 1
    is the protocol's name of the default stream."""
    assert lines("""
        class Dlpack:
            def __init__(self, array):
                self.array, self.told = array, []
            def __dlpack_device__(self):
                return (2, 0)
            def __dlpack__(self, *, stream=None, max_version=None):
                self.told.append(stream)
                capsule = self.array.__dlpack__()
                # The device's number is the third word: data, then type, id.
                new, get = (ctypes.pythonapi[name] for name in
                            ("PyCapsule_New", "PyCapsule_GetPointer"))
                get.restype, get.argtypes = ctypes.c_void_p, [
                    ctypes.py_object, ctypes.c_char_p]
                tensor = get(capsule, b"dltensor")
                ctypes.c_int32.from_address(tensor + 8).value = 2
                return capsule
        layer, out = prepare(), new((1, 3, 10, 12))
        x = Dlpack(np.zeros((1, 4, 5, 6), np.float32))
        y = Dlpack(np.zeros((1, 3, 10, 12), np.float32))
        for stream in (None, 0x60):
            layer(x, out=y, stream=stream)
            print(x.told, y.told, driver.fakeCudaLastStream())
    """) == ["[1] [1] None", "[1, 96] [1, 96] 96"]


def test_prepare_waits_unless_told():
    assert lines("""
        def waits(**options):
            before = count("synchronizations")
            prepare(**options)
            return count("synchronizations") - before
        print(waits(), waits(wait=False))
    """) == ["1 0"]


def test_packed_weight_in_the_callers_memory():
    assert lines("""
        layer = prepare()
        before = count("allocations")
        packed = Cuda(np.zeros(layer.packed_bytes, np.uint8))
        prepare(packed=packed)
        print(count("allocations") - before)
        for wrong in (Cuda(np.zeros(3, np.uint8)), np.zeros(999, np.uint8)):
            try:
                prepare(packed=wrong)
            except ValueError as error:
                print(str(error).replace(str(layer.packed_bytes), "P"))
    """) == ["0", "packed has 3 bytes, must have at least P",
             "packed is on cpu, must be on cuda:0, where the layer is "
             "prepared"]


def test_device_ordinals():
    assert lines("""
        layer = prepare(device=1)
        print(layer.device)
        layer(new((1, 4, 5, 6), 1), out=new((1, 3, 10, 12), 1))
        for x, out in ((new((1, 4, 5, 6), 0), new((1, 3, 10, 12), 1)),
                       (new((1, 4, 5, 6), 1), new((1, 3, 10, 12), 0)),
                       (np.zeros((1, 4, 5, 6), np.float32), None)):
            try:
                layer(x, out=out)
            except ValueError as error:
                print(error)
        try:
            bundle.prepare(new((4, 3, 2, 2), 2), new((3,), 2))
        except ctc.NoDeviceError as error:
            print(error)
        print(ctc.device("cuda:1").chip, ctc.device().device)
    """) == ["cuda:1",
             "input is on cuda:0, must be on cuda:1, where the layer is "
             "prepared",
             "out is on cuda:0, must be on cuda:1, where the layer is prepared",
             "input is on cpu, must be on cuda:1, where the layer is prepared",
             "no CUDA device 2: the driver sees 2", "sm_90a cuda:0"]


def test_bad_cuda_arrays():
    assert lines("""
        layer, out = prepare(), new((1, 3, 10, 12))
        x = new((1, 4, 5, 6))
        odd = Cuda(np.zeros(1000, np.float32)[1:121].reshape(1, 4, 5, 6))
        turned = Cuda(np.zeros((1, 4, 6, 5), np.float32).swapaxes(2, 3))
        frozen = new((1, 3, 10, 12), readonly=True)
        for call in (lambda: layer(x), lambda: layer(odd, out=out),
                     lambda: layer(turned, out=out),
                     lambda: layer(x, out=frozen),
                     lambda: layer(turned, out=out, copy=True)):
            try:
                call()
            except (TypeError, ValueError) as error:
                text = str(error)
                at = text.find("0x")
                end = text.find(",", at)
                print(text if at < 0 else text[:at] + "ADDRESS" + text[end:])
    """) == ["ctc cannot make a Cuda; give out=",
             "the address of argument 'input' is ADDRESS, must be a multiple "
             "of 16",
             "input has strides (120, 30, 1, 5) for shape (1, 4, 5, 6), must "
             "be (120, 30, 6, 1); copy=True copies it",
             "out is read-only, must be writable",
             "ctc cannot copy a Cuda; give a dense array"]


def test_bundle_without_this_chip():
    assert lines("""
        other = ctc.compile(input=(1, 4, 5, 6), weight=(4, 3, 2, 2),
                            chips=["sm_100a", "sm_120a"])
        try:
            other.prepare(new((4, 3, 2, 2)))
        except ctc.NoImageError as error:
            print(isinstance(error, ctc.DeviceError), error)
    """) == ["True Fake GPU 0: nothing in the bundle runs on compute "
             "capability 9.0: it has sm_100a, sm_120a"]


def test_driver_without_a_gpu():
    assert lines("""
        try:
            prepare()
        except ctc.NoDeviceError as error:
            print(error)
    """, CTC_FAKE_CUDA_INIT="100") == [
        "no CUDA device: cuInit failed: CUDA_ERROR_NO_DEVICE (words about 100)"]
