"""The learners: one package for each way to compute a step, all behind `Learner`."""
