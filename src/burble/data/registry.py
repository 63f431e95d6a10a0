"""The ways of batching by name. A new one is one file and one line here."""

from collections.abc import Callable

from burble.config import BatchingKind, DataConfig
from burble.data.batch import Batching
from burble.data.prepared import PreparedText
from burble.data.sentences import SentenceBatching
from burble.data.stream import StreamBatching
from burble.data.windows import WindowBatching

BATCHINGS: dict[BatchingKind, Callable[[PreparedText, DataConfig, int], Batching]] = {
    "stream": StreamBatching,
    "windows": WindowBatching,
    "sentences": SentenceBatching,
}
