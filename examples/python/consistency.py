# SPDX-License-Identifier: MIT
"""One-step generative models: loads a model file or trains a model, and draws samples as NumPy arrays.

    import consistency
    model = consistency.load_model("model.safetensors")
    images = model.session(batch=16).draw(16, seed=7)  # (16, 28, 28, 1), float32

    trainer = consistency.new_model((28, 28, 1), patch=2, attention=[7]).trainer(steps=2000, threads=2)
    for k in range(2000):
        loss = trainer.step(batch(k))  # (64, 28, 28, 1) in [-1, 1]
    trainer.model().save("own.safetensors")

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


_Integers = ctypes.POINTER(ctypes.c_int64)


class _ModelSettings(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("shape", ctypes.c_int64 * 4),
        ("rank", ctypes.c_size_t),
        ("denoiser", ctypes.c_int),
        ("channels", ctypes.c_int64),
        ("blocks", ctypes.c_int64),
        ("multipliers", _Integers),
        ("multiplier_count", ctypes.c_size_t),
        ("attention", _Integers),
        ("attention_count", ctypes.c_size_t),
        ("heads", ctypes.c_int64),
        ("patch", ctypes.c_int64),
        ("condition_numbers", ctypes.c_int64),
        ("seed", ctypes.c_uint64),
    ]


class _TrainerSettings(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("steps", ctypes.c_int64),
        ("teacher", _Handle),
        ("learning_rate", ctypes.c_double),
        ("huber", ctypes.c_double),
        ("seed", ctypes.c_uint64),
        ("threads", ctypes.c_uint32),
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
    library.consistency_model_settings_init.argtypes = [ctypes.POINTER(_ModelSettings)]
    library.consistency_model_settings_init.restype = None
    library.consistency_model_new.argtypes = [ctypes.POINTER(_ModelSettings), ctypes.POINTER(_Handle)]
    library.consistency_model_save.argtypes = [_Handle, ctypes.c_char_p]
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
    library.consistency_trainer_settings_init.argtypes = [ctypes.POINTER(_TrainerSettings)]
    library.consistency_trainer_settings_init.restype = None
    library.consistency_trainer_new.argtypes = [_Handle, ctypes.POINTER(_TrainerSettings), ctypes.POINTER(_Handle)]
    library.consistency_train.argtypes = [
        _Handle, _Floats, ctypes.c_size_t, _Floats, ctypes.c_size_t, ctypes.POINTER(ctypes.c_double)
    ]
    library.consistency_trainer_model.argtypes = [_Handle, ctypes.POINTER(_Handle)]
    library.consistency_trainer_free.argtypes = [_Handle]
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


def _numbers(name, array, shape):
    """None, or the array as the library wants it: of float32, in the order of C."""
    if array is None:
        return None
    array = np.ascontiguousarray(array, dtype=np.float32)
    if array.shape != shape:
        raise ValueError(f"{name}: found the shape {array.shape}, expected {shape}")
    return array


def load_model(path):
    """The model in a file of the library's programs or of `save`."""
    handle = _Handle()
    _check(_library.consistency_model_load(os.fsencode(path), ctypes.byref(handle)))
    return Model(handle)


def new_model(shape, *, denoiser=False, channels=0, blocks=0, multipliers=(), attention=(), heads=1, patch=1,
              condition_size=0, seed=0):
    """A model that is still to be trained.

    shape: of a sample: (height, width, channels) of a U-Net, (dimensions,) of a perceptron. denoiser: a teacher, in place
    of a consistency function. channels: of the first level, or the width of the perceptron's layers; 0: 32, or 128.
    blocks: of a level, or layers; 0: 2, or 3. multipliers: channels of each level of the U-Net, in units of the first's;
    none: 1, 2. attention: heights of the levels, after the patch, that have self-attention. patch: so many pixels by so
    many become channels before the first convolution. condition_size: numbers of a sample's condition.
    """
    settings = _ModelSettings()
    _library.consistency_model_settings_init(ctypes.byref(settings))
    if not 1 <= len(shape) <= 4:
        raise ValueError(f"shape: found {len(shape)} numbers, expected 1 or 3")
    settings.rank = len(shape)
    settings.shape[: len(shape)] = [_natural("shape", number, 31) for number in shape]
    levels = np.array([_natural("multipliers", number, 31) for number in multipliers], dtype=np.int64)
    heights = np.array([_natural("attention", number, 31) for number in attention], dtype=np.int64)
    settings.multipliers, settings.multiplier_count = levels.ctypes.data_as(_Integers), levels.size
    settings.attention, settings.attention_count = heights.ctypes.data_as(_Integers), heights.size
    settings.denoiser = 1 if denoiser else 0
    settings.channels = _natural("channels", channels, 31)
    settings.blocks = _natural("blocks", blocks, 31)
    settings.heads = _natural("heads", heads, 31)
    settings.patch = _natural("patch", patch, 31)
    settings.condition_numbers = _natural("condition_size", condition_size, 31)
    settings.seed = _natural("seed", seed, 64)
    handle = _Handle()
    _check(_library.consistency_model_new(ctypes.byref(settings), ctypes.byref(handle)))
    return Model(handle)


class Model:
    """A consistency function or a denoiser.

    shape: of a sample, such as (28, 28, 1). condition_size: numbers of a sample's condition, 0 where it takes none.
    labels: names of the classes. parameters: how many. denoiser: whether it is drawn from in several steps.
    """

    def __init__(self, handle):  # of load_model, new_model or a trainer
        self._handle = handle
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

    def trainer(self, steps, *, teacher=None, learning_rate=1e-3, huber=0.0, seed=0, threads=1):
        """Trains a copy of the model in `steps` steps: a denoiser, a consistency function from data alone, or one that is
        distilled from `teacher`, a denoiser. huber: c of the metric; 0: by the size of a sample."""
        return Trainer(self, steps, teacher, learning_rate, huber, seed, threads)

    def save(self, path):
        """Writes a file that load_model and the library's programs read."""
        _check(_library.consistency_model_save(self._handle, os.fsencode(path)))

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
        noise = _numbers("noise", noise, shape)
        condition = _numbers("condition", condition, (count, self.model.condition_size))
        if out.shape != shape:
            raise ValueError(f"out: found the shape {out.shape}, expected {shape}")
        for first in range(0, count, self.batch):
            some = slice(first, min(first + self.batch, count))
            self._draw(out[some], seed, first, None if condition is None else condition[some],
                       None if noise is None else noise[some], progress)
        return out

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


class Trainer:
    """Trains a model; one thread at a time uses one trainer."""

    def __init__(self, model, steps, teacher=None, learning_rate=1e-3, huber=0.0, seed=0, threads=1):
        self._handle = _Handle()
        self._shape, self._condition_size = model.shape, model.condition_size
        settings = _TrainerSettings()
        _library.consistency_trainer_settings_init(ctypes.byref(settings))
        settings.steps = _natural("steps", steps, 63)
        settings.learning_rate, settings.huber = learning_rate, huber
        settings.seed = _natural("seed", seed, 64)
        settings.threads = _natural("threads", threads, 32)
        if teacher is not None:
            settings.teacher = teacher._handle
        _check(_library.consistency_trainer_new(model._handle, ctypes.byref(settings), ctypes.byref(self._handle)))

    def step(self, batch, condition=None):
        """One step on a batch of unit scale, such as images in [-1, 1], (n, *shape), with a condition of each sample,
        (n, condition_size): the loss before the step."""
        batch = np.ascontiguousarray(batch, dtype=np.float32)
        batch = _numbers("batch", batch, (*batch.shape[:1], *self._shape))
        condition = _numbers("condition", condition, (batch.shape[0], self._condition_size))
        loss = ctypes.c_double()
        _check(_library.consistency_train(
            self._handle, _floats(batch), batch.size, None if condition is None else _floats(condition),
            0 if condition is None else condition.size, ctypes.byref(loss)))
        return loss.value

    def model(self):
        """What there is so far, as a model to draw from: the average of the parameters."""
        handle = _Handle()
        _check(_library.consistency_trainer_model(self._handle, ctypes.byref(handle)))
        return Model(handle)

    def __del__(self):
        if self._handle.id != 0:
            _library.consistency_trainer_free(self._handle)
