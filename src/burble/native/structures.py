"""The structs and functions of the C library, for ctypes."""

import ctypes
from typing import Any

from burble.config import SamplingConfig
from burble.knobs import knobs_of

Pointer = ctypes.c_void_p

_C_TYPES: dict[type, Any] = {float: ctypes.c_double, int: ctypes.c_int64}


class Shape(ctypes.Structure):
    """`burble_shape` in engine/kernel/burble.h."""

    _fields_ = (
        ("cell", ctypes.c_char * 32),
        ("num_gates", ctypes.c_int32),
        ("num_states", ctypes.c_int32),
        ("num_layers", ctypes.c_int32),
        ("hidden_size", ctypes.c_int32),
        ("vocab_size", ctypes.c_int32),
        ("embedding_size", ctypes.c_int32),
        ("residual", ctypes.c_int32),
    )


class SamplingFields(ctypes.Structure):
    """`burble_sampling` in engine/kernel/choose.c."""

    _fields_ = tuple((name, _C_TYPES[knob.kind]) for name, knob in knobs_of(SamplingConfig).items())


class StreamFields(ctypes.Structure):
    """`burble_stream` in engine/kernel/burble.h."""

    _fields_ = (
        ("state_data", ctypes.c_void_p),
        ("tokens_data", ctypes.c_void_p),
        ("stops_data", ctypes.c_void_p),
        ("num_stops", ctypes.c_int64),
        ("begin", ctypes.c_int64),
        ("end", ctypes.c_int64),
        ("limit", ctypes.c_int64),
        ("seed", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("position", ctypes.c_uint64),
        ("sampling_data", ctypes.c_void_p),
    )


class ReadingFields(ctypes.Structure):
    """`burble_reading` in engine/kernel/burble.h."""

    _fields_ = (
        ("ids", ctypes.c_void_p),
        ("time", ctypes.c_int64),
        ("rows", ctypes.c_int64),
        ("state", ctypes.c_void_p),
        ("logits", ctypes.c_void_p),
        ("only_last", ctypes.c_int64),
    )


class LearnerShape(ctypes.Structure):
    """`burble_learner_shape` in training/learners/native/kernel/learner.h."""

    _fields_ = (
        ("cell", ctypes.c_char * 32),
        ("input", ctypes.c_int32),
        ("num_layers", ctypes.c_int32),
        ("hidden_size", ctypes.c_int32),
        ("vocab_size", ctypes.c_int32),
        ("embedding_size", ctypes.c_int32),
        ("residual", ctypes.c_int32),
    )


class BatchFields(ctypes.Structure):
    """`burble_batch` in the same header."""

    _fields_ = (
        ("inputs", Pointer),
        ("targets", Pointer),
        ("mask", Pointer),
        ("reset", Pointer),
    )


class Update(ctypes.Structure):
    """`burble_update` in the same header."""

    _fields_ = (
        ("rate", ctypes.c_double),
        ("weight_decay", ctypes.c_double),
        ("beta1", ctypes.c_double),
        ("beta2", ctypes.c_double),
        ("epsilon", ctypes.c_double),
        ("grad_clip", ctypes.c_double),
        ("correction1", ctypes.c_double),
        ("correction2", ctypes.c_double),
        ("share", ctypes.c_double),
        ("dropout", ctypes.c_double),
        ("input_dropout", ctypes.c_double),
        ("seed", ctypes.c_uint64),
        ("step", ctypes.c_uint64),
        ("locked_dropout", ctypes.c_int32),
    )


class Figures(ctypes.Structure):
    """`burble_figures` in the same header."""

    _fields_ = (
        ("loss", ctypes.c_double),
        ("correct", ctypes.c_int64),
        ("norm", ctypes.c_double),
    )


STRUCTS: dict[str, type[ctypes.Structure]] = {
    "burble_shape": Shape,
    "burble_stream": StreamFields,
    "burble_sampling": SamplingFields,
    "burble_reading": ReadingFields,
    "burble_batch": BatchFields,
    "burble_learner_shape": LearnerShape,
    "burble_update": Update,
    "burble_figures": Figures,
}
"""The structs by their names in C, in the order of `burble_interface`."""

# Result and arguments of each function, in the order of the headers.
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "burble_interface": (ctypes.c_int32, Pointer, ctypes.c_int32),
    # engine/kernel/burble.h
    "burble_kernel_name": (ctypes.c_char_p, ctypes.c_int32),
    "burble_new": (Pointer, ctypes.c_char_p, ctypes.POINTER(Shape)),
    "burble_free": (None, Pointer),
    "burble_set_matrix": (None, Pointer, ctypes.c_int32, Pointer, Pointer, Pointer),
    "burble_set_input": (None, Pointer, Pointer),
    "burble_read": (
        ctypes.c_int32,
        Pointer,
        ctypes.POINTER(ReadingFields),
        ctypes.c_int64,
        ctypes.c_int64,
    ),
    "burble_write": (ctypes.c_int32, Pointer, ctypes.POINTER(Pointer), ctypes.c_int64),
    "burble_choose": (ctypes.c_int32, Pointer, Pointer, ctypes.POINTER(StreamFields)),
    "burble_bytes": (ctypes.c_int64, Pointer),
    "burble_probe_memory": (ctypes.c_int64, Pointer, ctypes.c_int64),
    "burble_probe_products": (ctypes.c_int64, Pointer, ctypes.c_int64),
    # ngram/counts.h
    "burble_count": (Pointer, Pointer, ctypes.c_int64, ctypes.c_int64, ctypes.c_int32),
    "burble_free_counts": (None, Pointer),
    "burble_counts_of_counts": (None, Pointer, ctypes.c_int32, Pointer),
    "burble_set_discounts": (None, Pointer, Pointer),
    "burble_predict": (None, Pointer, Pointer, ctypes.c_int64, ctypes.c_int32, Pointer),
    # training/learners/native/kernel/learner.h
    "burble_learner_kernel": (ctypes.c_char_p, ctypes.c_int32),
    "burble_learner_new": (
        Pointer,
        ctypes.c_char_p,
        ctypes.POINTER(LearnerShape),
        ctypes.c_int32,
    ),
    "burble_learner_free": (None, Pointer),
    "burble_learner_tensor": (
        None,
        Pointer,
        ctypes.c_int32,
        ctypes.c_int32,
        Pointer,
        ctypes.c_int32,
    ),
    "burble_space_new": (Pointer, Pointer, *[ctypes.c_int32] * 3),
    "burble_space_free": (None, Pointer),
    "burble_space_state": (
        None,
        Pointer,
        ctypes.c_int32,
        ctypes.c_int32,
        Pointer,
        ctypes.c_int32,
    ),
    "burble_learner_step": (
        None,
        Pointer,
        Pointer,
        ctypes.POINTER(BatchFields),
        ctypes.POINTER(Update),
        ctypes.c_int32,
        ctypes.POINTER(Figures),
    ),
    "burble_learner_score": (
        None,
        Pointer,
        Pointer,
        ctypes.POINTER(BatchFields),
        ctypes.c_int32,
        ctypes.c_int32,
        ctypes.POINTER(Figures),
    ),
    "burble_learner_seconds": (ctypes.c_int32, Pointer, Pointer, ctypes.c_int32),
    "burble_learner_probe": (ctypes.c_int32, Pointer, ctypes.c_int64, ctypes.c_int32),
    # training/learners/native/kernel/dropout.h
    "burble_dropout": (
        None,
        ctypes.c_double,
        Pointer,
        *[ctypes.c_int64] * 3,
        Pointer,
    ),
    # training/learners/native/kernel/orthogonal.h
    "burble_orthogonal": (None, ctypes.c_int64, Pointer, Pointer, Pointer),
}
