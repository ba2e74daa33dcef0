# SPDX-License-Identifier: MIT
"""One-step generative models: loads a model file and draws samples as NumPy arrays.

    import consistency
    model = consistency.load_model("model.safetensors")
    images = model.session(batch=16).draw(16, seed=7)  # (16, 28, 28, 1), float32

It calls the shared library consistency::c (consistency/c.h), which the environment variable CONSISTENCY_LIBRARY names,
or the system's loader finds. Nothing else is copied: the library writes into the array that is returned.
"""

import ctypes
import ctypes.util
import operator
import os

import numpy as np

__version__ = "0.1.0"


class Error(RuntimeError):
    """What the library has to say: what, where, found, expected and what to do. `status`: its name in consistency/c.h."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


_Observer = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(ctypes.c_float), ctypes.c_size_t
)
_Floats = ctypes.POINTER(ctypes.c_float)


class _Handle(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint64)]


class _ModelInfo(ctypes.Structure):
    _fields_ = [
        ("shape", ctypes.c_size_t * 4),
        ("rank", ctypes.c_size_t),
        ("sample_numbers", ctypes.c_size_t),
        ("condition_numbers", ctypes.c_size_t),
        ("labels", ctypes.c_size_t),
        ("parameters", ctypes.c_size_t),
        ("denoiser", ctypes.c_int),
    ]


class _SessionSettings(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("batch", ctypes.c_int64),
        ("threads", ctypes.c_uint32),
        ("executor", ctypes.c_void_p),
        ("times", ctypes.POINTER(ctypes.c_double)),
        ("time_count", ctypes.c_size_t),
        ("steps", ctypes.c_int64),
    ]


class _DrawSettings(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("seed", ctypes.c_uint64),
        ("first", ctypes.c_int64),
        ("condition", _Floats),
        ("condition_numbers", ctypes.c_size_t),
        ("noise", _Floats),
        ("noise_numbers", ctypes.c_size_t),
        ("observer", _Observer),
        ("user", ctypes.c_void_p),
    ]


def _load_library():
    name = os.environ.get("CONSISTENCY_LIBRARY") or ctypes.util.find_library("consistency_c")
    if name is None:
        raise ImportError(
            "consistency: the library consistency_c was not found: install it (cmake --install), or name its file in the "
            "environment variable CONSISTENCY_LIBRARY"
        )
    library = ctypes.CDLL(name)  # whose calls let other threads of Python run
    for function in ("version", "last_error", "status_name"):
        getattr(library, "consistency_" + function).restype = ctypes.c_char_p
    library.consistency_model_load.argtypes = [ctypes.c_char_p, ctypes.POINTER(_Handle)]
    library.consistency_model_free.argtypes = [_Handle]
    library.consistency_model_describe.argtypes = [_Handle, ctypes.POINTER(_ModelInfo)]
    library.consistency_model_label.argtypes = [_Handle, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    library.consistency_session_settings_init.argtypes = [ctypes.POINTER(_SessionSettings)]
    library.consistency_session_settings_init.restype = None
    library.consistency_session_new.argtypes = [_Handle, ctypes.POINTER(_SessionSettings), ctypes.POINTER(_Handle)]
    library.consistency_session_free.argtypes = [_Handle]
    library.consistency_draw_settings_init.argtypes = [ctypes.POINTER(_DrawSettings)]
    library.consistency_draw_settings_init.restype = None
    library.consistency_draw.argtypes = [_Handle, ctypes.POINTER(_DrawSettings), _Floats, ctypes.c_size_t]
    found = library.consistency_version().decode()
    if found.split(".")[:2] != __version__.split(".")[:2]:
        raise ImportError(f"consistency: the library {name} is of version {found}, this module of {__version__}")
    return library


_library = _load_library()


def _check(status):
    if status != 0:
        raise Error(_library.consistency_last_error().decode(), _library.consistency_status_name(status).decode())


def _natural(name, number, bits):
    number = operator.index(number)
    if not 0 <= number < 1 << bits:  # which ctypes would cut to size
        raise ValueError(f"{name}: found {number}, expected 0 to {(1 << bits) - 1}")
    return number


def _floats(array):
    return array.ctypes.data_as(_Floats)


def load_model(path):
    """The model in a file of the library's programs or of save_model."""
    return Model(path)


class Model:
    """A consistency function or a denoiser.

    shape: of a sample, such as (28, 28, 1). condition_size: numbers of a sample's condition, 0 where it takes none.
    labels: names of the classes. parameters: how many. denoiser: whether it is drawn from in several steps.
    """

    def __init__(self, path):
        self._handle = _Handle()
        _check(_library.consistency_model_load(os.fsencode(path), ctypes.byref(self._handle)))
        info = _ModelInfo()
        _check(_library.consistency_model_describe(self._handle, ctypes.byref(info)))
        self.shape = tuple(info.shape[: info.rank])
        self.condition_size = info.condition_numbers
        self.parameters = info.parameters
        self.denoiser = info.denoiser == 1
        self.labels = [self._label(i) for i in range(info.labels)]

    def _label(self, i):
        text = ctypes.create_string_buffer(1024)
        _check(_library.consistency_model_label(self._handle, i, text, len(text)))
        return text.value.decode(errors="replace")

    def session(self, batch=1, threads=1, times=(), steps=0):
        """A session that draws up to `batch` samples at a time on threads of its own. `times`, of a consistency function: of
        further evaluations, decreasing. `steps`, of a denoiser: of Heun's method; 0: 18."""
        return Session(self, batch, threads, times, steps)

    def __del__(self):
        if self._handle.id != 0:
            _library.consistency_model_free(self._handle)


class Session:
    """Draws from a model; one thread at a time draws from one session."""

    def __init__(self, model, batch=1, threads=1, times=(), steps=0):
        self._handle = _Handle()
        self.model = model
        self.batch = batch
        settings = _SessionSettings()
        _library.consistency_session_settings_init(ctypes.byref(settings))
        times = np.ascontiguousarray(times, dtype=np.float64)
        settings.batch = _natural("batch", batch, 63)
        settings.threads = _natural("threads", threads, 32)
        settings.steps = _natural("steps", steps, 63)
        settings.times, settings.time_count = times.ctypes.data_as(ctypes.POINTER(ctypes.c_double)), times.size
        _check(_library.consistency_session_new(model._handle, ctypes.byref(settings), ctypes.byref(self._handle)))

    def draw(self, count=1, seed=0, condition=None, noise=None, out=None, progress=None):
        """`count` samples, (count, *shape), float32. Sample i of a seed is the same in any batch and for any count.

        condition: (count, condition_size). noise: N(0, 1), (count, *shape), in place of the seed's. out: a C-contiguous
        array of float32, (count, *shape), that is filled and returned. progress(samples drawn, evaluations of the batch at
        hand) is called after each evaluation. Ctrl-C and exceptions of progress end the draw.
        """
        seed = _natural("seed", seed, 64)
        shape = (count, *self.model.shape)
        if out is None:
            out = np.empty(shape, dtype=np.float32)
        elif not isinstance(out, np.ndarray) or out.dtype != np.float32 or not out.flags.carray:
            raise TypeError("out: expected a writeable, C-contiguous numpy.ndarray of float32")
        noise = self._numbers("noise", noise, shape)
        condition = self._numbers("condition", condition, (count, self.model.condition_size))
        if out.shape != shape:
            raise ValueError(f"out: found the shape {out.shape}, expected {shape}")
        for first in range(0, count, self.batch):
            some = slice(first, min(first + self.batch, count))
            self._draw(out[some], seed, first, None if condition is None else condition[some],
                       None if noise is None else noise[some], progress)
        return out

    @staticmethod
    def _numbers(name, array, shape):
        if array is None:
            return None
        array = np.ascontiguousarray(array, dtype=np.float32)
        if array.shape != shape:
            raise ValueError(f"{name}: found the shape {array.shape}, expected {shape}")
        return array

    def _draw(self, out, seed, first, condition, noise, progress):
        raised = []

        def observe(_user, evaluations, _samples, _numbers):
            try:  # signals' handlers run here, too
                if progress is not None:
                    progress(first, evaluations)
            except BaseException as exception:
                raised.append(exception)
            return 0 if raised else 1

        settings = _DrawSettings()
        _library.consistency_draw_settings_init(ctypes.byref(settings))
        settings.seed, settings.first, settings.observer = seed, first, _Observer(observe)
        if condition is not None:
            settings.condition, settings.condition_numbers = _floats(condition), condition.size
        if noise is not None:
            settings.noise, settings.noise_numbers = _floats(noise), noise.size
        _check(_library.consistency_draw(self._handle, ctypes.byref(settings), _floats(out), out.size))
        if raised:
            raise raised[0]

    def __del__(self):
        if self._handle.id != 0:
            _library.consistency_session_free(self._handle)
