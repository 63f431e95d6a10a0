"""Learn as the Keras tutorial of 2021 does: a window of numbers, one target, two LSTMs, Adam.

A historic row: it is what people were taught to run, and it is not tuned. It would need hours where
the others need seconds.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from benchmarks.learners.common import THREADS, Ids, Learned, Task, read_text

WINDOW, BATCH, HIDDEN, DROPOUT = 100, 64, 256, 0.2
SCORED = 2048
BACKENDS = ("tensorflow", "jax")


def build(vocab_size: int) -> Any:
    """Build the tutorial's network. Targets are ids, not one-hot rows; the loss is the same."""
    import keras
    from keras import layers

    network = keras.Sequential(
        [
            keras.Input((WINDOW, 1)),
            layers.LSTM(HIDDEN, return_sequences=True),
            layers.Dropout(DROPOUT),
            layers.LSTM(HIDDEN),
            layers.Dropout(DROPOUT),
            layers.Dense(vocab_size, activation="softmax"),
        ]
    )
    network.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
    return network


def windows(ids: Ids, starts: Ids, vocab_size: int) -> tuple[Any, Ids]:
    """Return windows, (rows, WINDOW, 1), of id / vocabulary size, and the id after each."""
    tokens = ids[starts[:, None] + np.arange(WINDOW + 1)]
    numbers = (tokens[:, :-1, None] / vocab_size).astype(np.float32)
    return numbers, tokens[:, -1]


def shuffled(count: int, rng: np.random.Generator) -> Any:
    """Yield batches of all starts below `count`, in a new random order each epoch."""
    while True:
        order = rng.permutation(count)
        for first in range(0, count - BATCH + 1, BATCH):
            yield order[first : first + BATCH]


def held_out_bits(network: Any, ids: Ids, vocab_size: int) -> float:
    """Return the bits of the character after each of `SCORED` random windows, on average."""
    starts = np.random.default_rng(0).integers(len(ids) - WINDOW, size=SCORED)
    numbers, targets = windows(ids, starts, vocab_size)
    probabilities = network.predict(numbers, batch_size=128, verbose=0)
    return -float(np.log2(probabilities[np.arange(SCORED), targets]).mean())


def settle(backend: str) -> None:
    """Set the variables that Keras and its back end read when they are imported."""
    os.environ |= {
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": str(THREADS),
        "TF_NUM_INTEROP_THREADS": str(THREADS),
    }


def learn_text(task: Task, backend: str) -> Learned:
    """Learn from random windows. The clock starts after the first batch, which compiles."""
    settle(backend)
    import keras

    keras.utils.set_random_seed(task.seed)
    text = read_text(task)
    network = build(text.vocab_size)
    starts = shuffled(len(text.train) - WINDOW, np.random.default_rng(task.seed))
    network.train_on_batch(*windows(text.train, next(starts), text.vocab_size))
    started, updates, seconds = time.perf_counter(), 1, 0.0
    while seconds < task.seconds:
        network.train_on_batch(*windows(text.train, next(starts), text.vocab_size))
        updates += 1
        seconds = time.perf_counter() - started
    return Learned(
        bits=held_out_bits(network, text.tail, text.vocab_size),
        sealed_bits=held_out_bits(network, text.sealed, text.vocab_size),
        windows_bits=None,
        window=None,
        seconds=seconds,
        updates=updates,
        targets=updates * BATCH,
        parameters=network.count_params(),
        detail=f"Keras on {backend}, LSTM 2×{HIDDEN} with dropout {DROPOUT:g}, a number for each "
        f"character, windows of {WINDOW} with one target, Adam, batches of {BATCH}; measured on "
        f"{SCORED:,} random characters of each part, each after its own {WINDOW}",
    )
