"""Holds memory of the first NVIDIA GPU, and keeps it busy if asked to, through the driver's own library.

``python gpu_worker.py MIB busy|idle`` says ``holds`` once it does, and goes on until it is killed or standard
input ends.  No toolkit is needed: what is busy is filling memory, over and over.
"""

import ctypes
import sys

_FILLS = 50


def main() -> None:
    """Hold, and fill if asked to."""
    size, is_busy = int(sys.argv[1]) * 1024 * 1024, sys.argv[2] == "busy"
    cuda = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    _asked(cuda.cuInit(0))
    _asked(cuda.cuDeviceGet(ctypes.byref(device), 0))
    _asked(cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device))
    _asked(cuda.cuCtxSetCurrent(context))
    _asked(cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(size)))
    _asked(cuda.cuMemsetD32_v2(memory, ctypes.c_uint(0), ctypes.c_size_t(size // 4)))
    _asked(cuda.cuCtxSynchronize())
    sys.stdout.write("holds\n")
    sys.stdout.flush()
    while is_busy:
        for value in range(_FILLS):
            _asked(cuda.cuMemsetD32_v2(memory, ctypes.c_uint(value), ctypes.c_size_t(size // 4)))
        _asked(cuda.cuCtxSynchronize())
    sys.stdin.read()


def _asked(code: int) -> None:
    if code:
        raise SystemExit(f"the CUDA driver said {code}")


if __name__ == "__main__":
    main()
