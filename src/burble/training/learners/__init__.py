"""What learns: one package for each way to compute a step, all behind `Learner`."""
