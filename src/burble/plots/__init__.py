"""Draw figures for papers and slides with matplotlib (extra `plots`)."""
