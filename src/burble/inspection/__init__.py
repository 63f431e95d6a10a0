"""What is seen in a model: traces and reports, units that track something, like contexts."""
