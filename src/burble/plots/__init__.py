"""Figures for papers and slides, through matplotlib."""
