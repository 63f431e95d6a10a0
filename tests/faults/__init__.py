"""Every call that can fail fails once; runs are killed at every point; two start in one folder."""
