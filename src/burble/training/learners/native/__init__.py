"""The learner of burble's own: in C, for processors."""
