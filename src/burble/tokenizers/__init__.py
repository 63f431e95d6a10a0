"""Turn text into ids and back. One file per kind of tokenizer."""
