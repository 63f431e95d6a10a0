"""The structs and functions of the C library, as ctypes needs them."""

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
}
