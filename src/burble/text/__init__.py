"""The user's text: its sources, known texts, decoding and normalisation."""
