"""What the user brings: sources, known texts, decoding and normalisation."""
